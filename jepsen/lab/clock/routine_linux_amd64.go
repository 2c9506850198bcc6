package clock

// What replaces the vDSO's functions. It is position-independent, keeps to the
// System V calling convention and clobbers only what a called function may. Two
// slots hold offsets in nanoseconds and a byte chooses one, so that a change of
// offset is a change of one byte, which nobody can see half done.
var routine = machineCode{
	bytes: []byte{
		// clock_gettime(edi: clock, rsi: timespec)
		0xb8, 0xe4, 0x00, 0x00, 0x00, // 00 mov    eax, 228 (the system call)
		0x0f, 0x05, //                   05 syscall
		0x85, 0xc0, //                   07 test   eax, eax
		0x75, 0x41, //                   09 jnz    4c
		0x83, 0xff, 0x05, //             0b cmp    edi, 5 (CLOCK_REALTIME_COARSE)
		0x74, 0x09, //                   0e je     19
		0x83, 0xff, 0x0b, //             10 cmp    edi, 11 (CLOCK_TAI)
		0x74, 0x04, //                   13 je     19
		0x85, 0xff, //                   15 test   edi, edi (CLOCK_REALTIME)
		0x75, 0x33, //                   17 jnz    4c
		0x0f, 0xb6, 0x0d, 0xd0, 0x00, 0x00, 0x00, // 19 movzx ecx, byte [f0]
		0x48, 0x8d, 0x15, 0xb9, 0x00, 0x00, 0x00, // 20 lea   rdx, [e0]
		0x48, 0x8b, 0x0c, 0xca, //                   27 mov   rcx, [rdx+rcx*8]
		0x48, 0x69, 0x06, 0x00, 0xca, 0x9a, 0x3b, // 2b imul  rax, [rsi], 1e9
		0x48, 0x03, 0x46, 0x08, //       32 add    rax, [rsi+8]
		0x48, 0x01, 0xc8, //             36 add    rax, rcx
		0x31, 0xd2, //                   39 xor    edx, edx
		0xb9, 0x00, 0xca, 0x9a, 0x3b, // 3b mov    ecx, 1e9
		0x48, 0xf7, 0xf1, //             40 div    rcx
		0x48, 0x89, 0x06, //             43 mov    [rsi], rax
		0x48, 0x89, 0x56, 0x08, //       46 mov    [rsi+8], rdx
		0x31, 0xc0, //                   4a xor    eax, eax
		0xc3,             //             4c ret
		0xcc, 0xcc, 0xcc, // 4d

		// gettimeofday(rdi: timeval, rsi: timezone)
		0xb8, 0x60, 0x00, 0x00, 0x00, // 50 mov    eax, 96 (the system call)
		0x0f, 0x05, //                   55 syscall
		0x85, 0xc0, //                   57 test   eax, eax
		0x75, 0x4c, //                   59 jnz    a7
		0x48, 0x85, 0xff, //             5b test   rdi, rdi
		0x74, 0x47, //                   5e jz     a7
		0x0f, 0xb6, 0x0d, 0x89, 0x00, 0x00, 0x00, // 60 movzx ecx, byte [f0]
		0x48, 0x8d, 0x15, 0x72, 0x00, 0x00, 0x00, // 67 lea   rdx, [e0]
		0x48, 0x8b, 0x0c, 0xca, //                   6e mov   rcx, [rdx+rcx*8]
		0x48, 0x69, 0x07, 0x40, 0x42, 0x0f, 0x00, // 72 imul  rax, [rdi], 1e6
		0x48, 0x03, 0x47, 0x08, //                   79 add   rax, [rdi+8]
		0x48, 0x69, 0xc0, 0xe8, 0x03, 0x00, 0x00, // 7d imul  rax, rax, 1000
		0x48, 0x01, 0xc8, //             84 add    rax, rcx
		0x31, 0xd2, //                   87 xor    edx, edx
		0xb9, 0x00, 0xca, 0x9a, 0x3b, // 89 mov    ecx, 1e9
		0x48, 0xf7, 0xf1, //             8e div    rcx
		0x48, 0x89, 0x07, //             91 mov    [rdi], rax
		0x48, 0x89, 0xd0, //             94 mov    rax, rdx
		0x31, 0xd2, //                   97 xor    edx, edx
		0xb9, 0xe8, 0x03, 0x00, 0x00, // 99 mov    ecx, 1000
		0x48, 0xf7, 0xf1, //             9e div    rcx
		0x48, 0x89, 0x47, 0x08, //       a1 mov    [rdi+8], rax
		0x31, 0xc0, //                   a5 xor    eax, eax
		0xc3,                                           // a7 ret
		0xcc, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc, // a8

		// time(rdi: time_t, or 0)
		0x57,                   //             b0 push   rdi
		0x48, 0x83, 0xec, 0x10, //       b1 sub    rsp, 16
		0x31, 0xff, //                   b5 xor    edi, edi
		0x48, 0x89, 0xe6, //             b7 mov    rsi, rsp
		0xe8, 0x41, 0xff, 0xff, 0xff, // ba call   00
		0x48, 0x8b, 0x04, 0x24, //       bf mov    rax, [rsp]
		0x48, 0x83, 0xc4, 0x10, //       c3 add    rsp, 16
		0x5f,             //             c7 pop    rdi
		0x48, 0x85, 0xff, //             c8 test   rdi, rdi
		0x74, 0x03, //                   cb jz     d0
		0x48, 0x89, 0x07, //             cd mov    [rdi], rax
		0xc3,                                                 // d0 ret
		0xcc, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc, // d1
		0xcc, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc,

		0, 0, 0, 0, 0, 0, 0, 0, // e0 slot 0
		0, 0, 0, 0, 0, 0, 0, 0, // e8 slot 1
		0, // f0 which slot
	},
	entries: map[string]uint64{
		"__vdso_clock_gettime": 0x00,
		"__vdso_gettimeofday":  0x50,
		"__vdso_time":          0xb0,
	},
	slots:  0xe0,
	chosen: 0xf0,
}

// jumpBytes is how long a jump is.
const jumpBytes = 5

// jump is an instruction at one address that goes on at another.
func jump(from, to uint64) []byte {
	d := uint32(to - from - jumpBytes) // of the next instruction; wraps, like the processor
	return []byte{0xe9, byte(d), byte(d >> 8), byte(d >> 16), byte(d >> 24)}
}
