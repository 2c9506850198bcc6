package workload

// All makes one of each workload.
func All() []Workload {
	return []Workload{&Work{}, &AtMostOnce{}, &FIFO{}, &Dedup{}, &Fencing{}, &Admin{}}
}
