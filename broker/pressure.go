package broker

import (
	"time"

	"github.com/ferrymq/ferrymq/transport"
)

// sampleEvery is how often the disk and the lag of the groups are looked at.
const sampleEvery = 500 * time.Millisecond

// alarm is a condition of this node under which the groups that it leads take
// no more messages. Whatever frees space is let through.
type alarm uint8

const (
	alarmMemory alarm = iota // the bodies of a group's waiting messages, or the heap, reach the limit
	alarmDisk                // the file system of the data folder is nearly full
	alarmLag                 // a group's state is far behind its log
	alarms
)

// alarmKinds are what an alarm is called, what a refused client is told, and
// what explains it to a person.
var alarmKinds = [alarms]struct {
	name  string
	cause transport.Cause
	text  string
}{
	alarmMemory: {"memory", transport.CauseMemory, "the node's memory limit is reached"},
	alarmDisk:   {"disk", transport.CauseDisk, "the node's disk is nearly full"},
	alarmLag:    {"lag", transport.CauseLag, "the node's state is far behind its log"},
}

// watchPressure samples what is not told to the broker, and what leaders warn of.
func (b *Broker) watchPressure() {
	tick := time.NewTicker(sampleEvery)
	defer tick.Stop()
	for {
		b.sampleHeap()
		b.sampleDisk()
		for _, l := range b.lanes {
			l.sampleLag()
			l.sampleMissed(false)
		}
		select {
		case <-tick.C:
		case <-b.ctx.Done():
			for _, l := range b.lanes {
				l.sampleMissed(true)
			}
			return
		}
	}
}

// sampleHeap judges the memory of the whole process: bodies are not all that a
// message takes, and queues, sessions and dead letters' histories take some, too.
func (b *Broker) sampleHeap() {
	if b.o.Heap == nil {
		return
	}
	live, limit := b.o.Heap()
	was := b.heapFull.Load()
	mark := limit - limit/4
	if was {
		mark -= limit / 8 // well below the mark at which it began, as for the disk
	}
	if is := live >= mark; is != was {
		b.heapFull.Store(is)
		b.log.Warn("memory alarm", "on", is, "live_bytes", live, "limit_bytes", limit)
	}
}

// sampleDisk judges the disk. The alarm ends only well above the mark at which
// it begins, so that it does not flicker.
func (b *Broker) sampleDisk() {
	if b.o.Disk == nil {
		return
	}
	free, low, err := b.o.Disk()
	if err != nil {
		b.log.Warn("the disk's free space is not known", "err", err)
		return
	}
	was := b.diskLow.Load()
	if was {
		low += low / 8
	}
	if is := free < low; is != was {
		b.diskLow.Store(is)
		b.log.Warn("disk alarm", "on", is, "free_bytes", free, "low_bytes", low)
	}
}

func (l *lane) sampleLag() {
	bound := uint64(l.b.o.LagMax)
	was := l.lagging.Load()
	if was {
		bound /= 2
	}
	lag := l.group.Lag()
	if is := lag > bound; is != was {
		l.lagging.Store(is)
		l.b.log.Warn("log lag alarm", "group", l.id, "on", is, "entries", lag)
	}
}

// alarmed tells the alarms of the lane's group on this node. The caller holds l.mu.
func (l *lane) alarmed(a alarm) bool {
	switch a {
	case alarmMemory:
		return l.b.o.MemoryLimit > 0 && l.bodyBytes >= l.b.o.MemoryLimit || l.b.heapFull.Load()
	case alarmDisk:
		return l.b.diskLow.Load()
	case alarmLag:
		return l.lagging.Load()
	}
	return false
}

// Alarms lists the alarms of a group on this node by name: memory, disk, lag.
func (b *Broker) Alarms(group uint32) []string {
	l := b.lanes[group]
	if l == nil {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	var names []string
	for a := range alarms {
		if l.alarmed(a) {
			names = append(names, alarmKinds[a].name)
		}
	}
	return names
}

// underAlarm says whether this node leads and has an alarm.
func (l *lane) underAlarm() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, pressed := l.pressed()
	return pressed
}

// pressed is the refusal of a command that needs room while this node leads
// and has an alarm. The caller holds l.mu.
func (l *lane) pressed() (transport.Result, bool) {
	if l.mode != modeLead {
		return transport.Result{}, false
	}
	for a := range alarms {
		if l.alarmed(a) {
			r := refusal(transport.CodeBusy, alarmKinds[a].text)
			r.Cause = alarmKinds[a].cause
			return r, true
		}
	}
	return transport.Result{}, false
}
