package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// patience is how long a command has to clean up after itself when it is told
// to end; then it is killed.
const patience = 30 * time.Second

// command runs in dir. When ctx ends it is interrupted with all that it has
// started, and killed if that does not help.
func command(ctx context.Context, dir, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	cmd.WaitDelay = patience
	group(cmd)
	return cmd
}

// copyTree copies what belongs to the project, as it is in the checkout: all
// files but those that git ignores.
func copyTree(ctx context.Context, root, to string) error {
	list, err := command(ctx, root, "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard").Output()
	if err != nil {
		return fmt.Errorf("list the tree: %w", err)
	}
	for name := range strings.SplitSeq(strings.TrimRight(string(list), "\x00"), "\x00") {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err := copyFile(filepath.Join(root, name), filepath.Join(to, name)); err != nil {
			return err
		}
	}
	return nil
}

// copyFile leaves out what was deleted and what is no plain file.
func copyFile(from, to string) error {
	info, err := os.Lstat(from)
	if errors.Is(err, fs.ErrNotExist) || err == nil && !info.Mode().IsRegular() {
		return nil
	}
	if err != nil {
		return err
	}
	b, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	return os.WriteFile(to, b, info.Mode().Perm())
}

// apply applies a patch to the tree in a folder. git must not take a
// repository around it for the tree: it would leave out every file, silently.
func apply(ctx context.Context, tree, patch string, options ...string) (text string, err error) {
	args := append([]string{"apply", "--verbose"}, options...)
	cmd := command(ctx, tree, "git", append(args, patch)...)
	cmd.Env = append(os.Environ(), "GIT_CEILING_DIRECTORIES="+filepath.Dir(tree))
	b, err := cmd.CombinedOutput()
	if err == nil && !bytes.Contains(b, []byte("Applied patch ")) {
		err = errors.New("git applied nothing")
	}
	return string(b), err
}
