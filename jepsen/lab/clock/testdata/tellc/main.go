// Command tellc answers each line of its input with its wall clock and how long
// it has run by its monotonic one, and then with what the C library says of the
// wall clock, by each of its functions, all in nanoseconds.
package main

/*
#include <stddef.h>
#include <sys/time.h>
#include <time.h>

static long long by_clock(clockid_t id) {
	struct timespec t;
	return clock_gettime(id, &t) == 0 ? t.tv_sec * 1000000000LL + t.tv_nsec : -1;
}
static long long by_day(void) {
	struct timeval t;
	return gettimeofday(&t, NULL) == 0 ? t.tv_sec * 1000000000LL + t.tv_usec * 1000LL : -1;
}
static long long by_time(void) {
	time_t stored = 0, returned = time(&stored);
	return stored == returned && time(NULL) >= returned ? returned * 1000000000LL : -1;
}
*/
import "C"

import (
	"bufio"
	"fmt"
	"os"
	"time"
)

func main() {
	began := time.Now()
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		fmt.Println(time.Now().UnixNano(), time.Since(began).Nanoseconds(),
			C.by_clock(C.CLOCK_REALTIME), C.by_clock(C.CLOCK_REALTIME_COARSE), C.by_day(), C.by_time())
	}
}
