// Command serve listens at the address it is given and tells everyone who
// connects its wall clock, in nanoseconds. It ends well on SIGTERM, unless it is
// told to be deaf.
package main

import (
	"fmt"
	"net"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM)
	go func() {
		<-signals
		if len(os.Args) < 3 {
			os.Exit(0)
		}
	}()
	l, err := net.Listen("tcp", os.Args[1])
	if err != nil {
		fmt.Println(err)
		os.Exit(3)
	}
	fmt.Println("listening")
	for {
		c, err := l.Accept()
		if err != nil {
			fmt.Println(err)
			os.Exit(4)
		}
		fmt.Fprintln(c, time.Now().UnixNano())
		c.Close()
	}
}
