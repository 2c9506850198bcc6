package modeltest

import "github.com/ferrymq/ferrymq/fsm"

func sameTopics(*Model, *fsm.State) error { return nil }
