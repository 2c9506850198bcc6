package serve

import (
	"bytes"
	"crypto/hkdf"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
)

// Bounds of the cluster key's file.
const (
	keyBytesMin = 32
	keyFileMax  = 64 << 10
)

// keys are what the cluster key is used as: links and gossip each have their
// own, so that what one gives away helps nobody with the other.
type keys struct {
	link   []byte // nil: nothing is proven
	gossip []byte // nil: not encrypted
}

const derivedKeyBytes = 32

// readKeys reads the cluster key's file ("": no keys). Space around the key
// does not count: editors add it.
func readKeys(path string) (keys, error) {
	if path == "" {
		return keys{}, nil
	}
	f, err := os.Open(path)
	if err != nil {
		return keys{}, fmt.Errorf("%w: %w", ErrKey, err)
	}
	secret, err := io.ReadAll(io.LimitReader(f, keyFileMax))
	if err := errors.Join(err, f.Close()); err != nil {
		return keys{}, fmt.Errorf("%w: %w", ErrKey, err)
	}
	secret = bytes.TrimSpace(secret)
	if len(secret) < keyBytesMin {
		return keys{}, fmt.Errorf("%w: %s holds %d bytes, at least %d are needed", ErrKey, path, len(secret), keyBytesMin)
	}
	link, err1 := hkdf.Key(sha256.New, secret, nil, "ferrymq link", derivedKeyBytes)
	gossip, err2 := hkdf.Key(sha256.New, secret, nil, "ferrymq gossip", derivedKeyBytes)
	return keys{link: link, gossip: gossip}, errors.Join(err1, err2)
}
