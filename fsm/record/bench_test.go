package record

import "testing"

func BenchmarkRecord1K(b *testing.B) {
	m := &Message{Body: make([]byte, 1024), ContentType: "application/json", Headers: []Header{{"trace", "abc"}}}
	buf, err := Append(nil, m)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("Append", func(b *testing.B) {
		b.SetBytes(int64(len(buf)))
		b.ReportAllocs()
		out := make([]byte, 0, 2*len(buf))
		for b.Loop() {
			if _, err := Append(out, m); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("Check", func(b *testing.B) {
		b.SetBytes(int64(len(buf)))
		b.ReportAllocs()
		for b.Loop() {
			if err := Check(buf); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("Peek", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if err := new(Info).Peek(buf); err != nil {
				b.Fatal(err)
			}
		}
	})
}
