package transport

// TopicCreate makes a topic. Topics and queues share their names.
type TopicCreate struct {
	OpHeader
	Topic    string
	Settings TopicSettings
}

// TopicDelete deletes a topic and its subscriptions with their messages.
type TopicDelete struct {
	OpHeader
	Topic    string
	IfUnused bool // only without subscriptions, else CodeInUse
}

// Subscribe makes a subscription: a queue that gets what is published to the
// topic under a subject that the filter matches. It is consumed, updated and
// deleted as a queue.
type Subscribe struct {
	OpHeader
	Topic    string
	Queue    string
	Filter   string // words with dots between; "*" is one word, ">" at the end one or more
	Required bool   // a publish is refused while this subscription is full
	Session  bool   // deleted when this session ends
	Settings QueueSettings
}
