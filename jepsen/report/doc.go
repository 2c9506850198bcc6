// Package report keeps what a run left behind and shows it: a folder that can
// be judged again later, a page with a timeline for a person, and a page of
// all runs of a session.
//
// It owns the form on disk and the two pages. It reads histories and verdicts
// and changes neither; it knows nothing of processes, of faults' making, or of
// what is right. It imports packages history and check alone.
//
// Start reading in data.go; write.go and read.go are the two halves of the
// folder, page.go and session.go draw. What page.go embeds is computed in
// axis.go, series.go, marks.go, cluster.go and faults.go, and drawn by page.js.
//
// Pages need nothing from outside, and their size does not grow with the run:
// everything that is drawn has a bound with a name, and what a bound left out
// is said on the page.
package report
