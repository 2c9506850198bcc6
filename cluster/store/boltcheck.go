//go:build !wasip1

package store

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"os"
)

// errRotten means that a library's file is not as the library wrote it.
var errRotten = errors.New("file is rotten")

// bbolt trusts its file: a page that is not what it should be ends the process
// from a goroutine of its own, or has it walk in circles for ever. So a file is
// looked through before it is opened: every page that can be reached from the
// root, once. Values are not looked at, whoever stored them has to.
//
//	page    | id u64 | flags u16 | count u16 | overflow u32 | elements | keys and values
//	meta    | magic u32 | version u32 | page size u32 | flags u32 | root u64 | sequence u64 |
//	        | freelist u64 | pages u64 | txid u64 | FNV-1a u64
//	branch  | pos u32 | key size u32 | page u64
//	leaf    | flags u32 | pos u32 | key size u32 | value size u32
//	bucket  | root u64 | sequence u64 | page, if root is 0
const (
	boltMagic      = 0xed0cdaed
	boltVersion    = 2
	boltHead       = 16
	boltMetaBytes  = 64
	boltElement    = 16
	boltBranch     = 1
	boltLeaf       = 2
	boltFreelist   = 16
	boltBucketFlag = 1
	boltNoFreelist = ^uint64(0)

	boltPageMin   = 1 << 10
	boltPageMax   = 1 << 24
	boltDepthMax  = 64        // levels of pages and buckets
	boltSpanMax   = 256 << 20 // bytes of a page with what overflows
	boltCountLong = 0xffff    // the number of free pages stands in the first element
)

// boltPages is a file of bbolt that is looked through.
type boltPages struct {
	f        io.ReaderAt
	pageSize uint64
	pages    uint64 // below the high water mark
	freelist uint64
	root     uint64
	txid     uint64
	seen     []uint64 // a bit for each page
}

// checkBolt looks a file of bbolt through. It returns errRotten, or the
// system's error, or nil if there is no file, or nothing in it: bbolt begins
// anew then.
func checkBolt(path string) (err error) {
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	info, err := f.Stat()
	if err != nil || info.Size() == 0 {
		return err
	}
	if err := checkBoltFile(f, uint64(info.Size())); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

func checkBoltFile(f io.ReaderAt, size uint64) error {
	b, err := newestBoltMeta(f, size)
	if err != nil {
		return err
	}
	if b.pages > size/b.pageSize {
		return fmt.Errorf("%w: %d pages of %d bytes in a file of %d", errRotten, b.pages, b.pageSize, size)
	}
	b.seen = make([]uint64, b.pages/64+1)
	if err := b.tree(b.root, nil, nil, 0); err != nil {
		return err
	}
	return b.free()
}

// newestBoltMeta is the one of the two meta pages that bbolt takes.
func newestBoltMeta(f io.ReaderAt, size uint64) (*boltPages, error) {
	first, err := readBoltMeta(f, 0)
	if err != nil {
		return nil, err
	}
	newest := first
	for page := uint64(boltPageMin); page <= boltPageMax && page+boltHead+boltMetaBytes <= size; page *= 2 {
		if first != nil && page != first.pageSize {
			continue
		}
		second, err := readBoltMeta(f, page)
		if err != nil {
			return nil, err
		}
		if second != nil && second.pageSize == page {
			if newest == nil || second.txid > newest.txid {
				newest = second
			}
			break
		}
	}
	if newest == nil {
		return nil, fmt.Errorf("%w: no meta page can be read", errRotten)
	}
	return newest, nil
}

// readBoltMeta returns nil for a meta page that bbolt would not believe.
func readBoltMeta(f io.ReaderAt, at uint64) (*boltPages, error) {
	var raw [boltHead + boltMetaBytes]byte
	if err := readFull(f, raw[:], at); err != nil {
		if errors.Is(err, errRotten) {
			return nil, nil // too short to have one
		}
		return nil, err
	}
	m := raw[boltHead:]
	sum := fnv.New64a()
	sum.Write(m[:boltMetaBytes-8]) // never fails
	if u32(m) != boltMagic || u32(m[4:]) != boltVersion || u64(m[56:]) != sum.Sum64() {
		return nil, nil
	}
	b := &boltPages{
		f: f, pageSize: uint64(u32(m[8:])), root: u64(m[16:]),
		freelist: u64(m[32:]), pages: u64(m[40:]), txid: u64(m[48:]),
	}
	if b.pageSize < boltPageMin || b.pageSize > boltPageMax || b.pageSize&(b.pageSize-1) != 0 {
		return nil, fmt.Errorf("%w: pages of %d bytes", errRotten, b.pageSize)
	}
	return b, nil
}

// page reads a page with what overflows, once.
func (b *boltPages) page(id uint64) ([]byte, error) {
	if id < 2 || id >= b.pages {
		return nil, fmt.Errorf("%w: page %d of %d", errRotten, id, b.pages)
	}
	var head [boltHead]byte
	if err := readFull(b.f, head[:], id*b.pageSize); err != nil {
		return nil, err
	}
	over := uint64(u32(head[12:]))
	if u64(head[:]) != id || over >= b.pages-id || (over+1)*b.pageSize > boltSpanMax {
		return nil, fmt.Errorf("%w: page %d says it is %d and %d more", errRotten, id, u64(head[:]), over)
	}
	for p := id; p <= id+over; p++ {
		if b.seen[p/64]&(1<<(p%64)) != 0 {
			return nil, fmt.Errorf("%w: page %d is used twice", errRotten, p)
		}
		b.seen[p/64] |= 1 << (p % 64)
	}
	raw := make([]byte, (over+1)*b.pageSize)
	return raw, readFull(b.f, raw, id*b.pageSize)
}

// tree looks a page through, and all below it. Its keys are to be from least
// on and before next, where nil is no bound.
func (b *boltPages) tree(id uint64, least, next []byte, depth int) error {
	raw, err := b.page(id)
	if err != nil {
		return err
	}
	if err := b.elements(raw, least, next, depth); err != nil {
		return fmt.Errorf("page %d: %w", id, err)
	}
	return nil
}

func (b *boltPages) elements(raw, least, next []byte, depth int) error {
	flags, count := u16(raw[8:]), int(u16(raw[10:]))
	branch := flags == boltBranch
	switch {
	case depth > boltDepthMax:
		return fmt.Errorf("%w: more than %d levels", errRotten, boltDepthMax)
	case !branch && flags != boltLeaf, branch && count == 0:
		return fmt.Errorf("%w: kind %#x with %d elements", errRotten, flags, count)
	case boltHead+count*boltElement > len(raw):
		return fmt.Errorf("%w: %d elements have no room", errRotten, count)
	}
	var before []byte
	for i := range count {
		key, value, err := boltPair(raw, i, branch)
		switch {
		case err != nil:
			return err
		case len(key) == 0, i > 0 && bytes.Compare(before, key) >= 0,
			bytes.Compare(key, least) < 0, next != nil && bytes.Compare(key, next) >= 0:
			return fmt.Errorf("%w: element %d is out of order", errRotten, i)
		}
		before = key
		at := raw[boltHead+i*boltElement:]
		switch {
		case branch:
			end := next
			if i+1 < count {
				if end, _, err = boltPair(raw, i+1, branch); err != nil {
					return err
				}
			}
			err = b.tree(u64(at[8:]), key, end, depth+1)
		case u32(at) == boltBucketFlag:
			err = b.bucket(value, depth+1)
		case u32(at) != 0:
			err = fmt.Errorf("%w: element %d has the flags %#x", errRotten, i, u32(at))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// boltPair is key and value of an element.
func boltPair(raw []byte, i int, branch bool) (key, value []byte, err error) {
	start := boltHead + i*boltElement
	at := raw[start : start+boltElement]
	pos, keySize, valueSize := u32(at), u32(at[4:]), uint32(0)
	if !branch {
		pos, keySize, valueSize = u32(at[4:]), u32(at[8:]), u32(at[12:])
	}
	from := uint64(start) + uint64(pos)
	middle := from + uint64(keySize)
	end := middle + uint64(valueSize)
	if end > uint64(len(raw)) {
		return nil, nil, fmt.Errorf("%w: element %d ends beyond its page", errRotten, i)
	}
	return raw[from:middle], raw[middle:end], nil
}

// bucket looks a bucket through: a tree of its own, or a page within its value.
func (b *boltPages) bucket(value []byte, depth int) error {
	if len(value) < boltHead {
		return fmt.Errorf("%w: a bucket of %d bytes", errRotten, len(value))
	}
	if root := u64(value); root != 0 {
		return b.tree(root, nil, nil, depth)
	}
	inline := value[boltHead:]
	if len(inline) < boltHead || u16(inline[8:]) != boltLeaf {
		return fmt.Errorf("%w: a bucket without a page", errRotten)
	}
	return b.elements(inline, nil, nil, depth)
}

// free looks the list of free pages through, if there is one: a page that is in
// use and counts as free would be written over.
func (b *boltPages) free() error {
	if b.freelist == boltNoFreelist {
		return nil
	}
	raw, err := b.page(b.freelist)
	if err != nil {
		return err
	}
	count, ids := uint64(u16(raw[10:])), raw[boltHead:]
	if count == boltCountLong {
		count, ids = u64(ids), ids[8:]
	}
	if u16(raw[8:]) != boltFreelist || count > uint64(len(ids)/8) {
		return fmt.Errorf("%w: page %d is no list of %d free pages", errRotten, b.freelist, count)
	}
	for i := range count {
		id := u64(ids[8*i:])
		if id < 2 || id >= b.pages || b.seen[id/64]&(1<<(id%64)) != 0 {
			return fmt.Errorf("%w: page %d of %d counts as free", errRotten, id, b.pages)
		}
		b.seen[id/64] |= 1 << (id % 64)
	}
	return nil
}

// readFull finds a file that is too short rotten.
func readFull(f io.ReaderAt, into []byte, at uint64) error {
	n, err := f.ReadAt(into, int64(at))
	switch {
	case n == len(into):
		return nil
	case errors.Is(err, io.EOF):
		return fmt.Errorf("%w: it ends at %d", errRotten, at+uint64(n))
	}
	return err
}

// bbolt writes numbers as the machine has them.
func u16(b []byte) uint16 { return binary.NativeEndian.Uint16(b) }
func u32(b []byte) uint32 { return binary.NativeEndian.Uint32(b) }
func u64(b []byte) uint64 { return binary.NativeEndian.Uint64(b) }
