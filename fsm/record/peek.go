package record

// Info is what the state machine needs to know of a record.
type Info struct {
	Size     int // of the whole record
	Logical  int // headers and body: what limits count
	Reserved Set // attributes that are present and not supported yet
}

// Set of known attributes.
type Set uint16

// Has tells whether the attribute is in the set.
func (s Set) Has(t Tag) bool { return t <= tagLast && s&(1<<t) != 0 }

// First is the lowest attribute of the set, 0 if it is empty.
func (s Set) First() Tag {
	for t := TagContentType; t <= tagLast; t++ {
		if s.Has(t) {
			return t
		}
	}
	return 0
}

// Peek reads the structure of a record that is exactly b: lengths, version and
// attributes. It reads neither headers nor body, and no checksum. Its verdict
// on given bytes is the same on every replica for ever.
func Peek(b []byte) (Info, error) {
	h, err := scanHead(b)
	if err != nil {
		return Info{}, err
	}
	info := Info{Size: len(b), Logical: len(b) - HeadSize - h.attributes}
	for a := h.eachAttribute(b); a.more(); {
		t, _, err := a.next()
		if err != nil {
			return Info{}, err
		}
		if t.Reserved() {
			info.Reserved |= 1 << t
		}
	}
	return info, nil
}
