package transport

// Version of the protocol that this build speaks.
const Version = 1

// The limits of the protocol. Of them a node may only be told to take smaller
// messages; HelloOK tells a client what holds.
const (
	MessageMax  = 1 << 20 // bytes of a message, and of an operation's messages together: body and headers
	MessagesMax = 1000    // messages of a publish, items of a settle or amend, both together of a commit
	WindowMax   = 1024    // unanswered operations of a session in a group

	// FrameMax is the largest payload between client and node. It leaves
	// room around MessageMax for what 1,000 messages need besides their
	// bodies and headers.
	FrameMax = 2 << 20
	// PeerFrameMax is the largest payload between nodes.
	PeerFrameMax = 8 << 20
	// HelloFrameMax is the largest payload before Hello is answered.
	HelloFrameMax = 16 << 10

	QueueNameMax   = 200 // bytes; users make names of at most 196
	ErrorTextMax   = 1024
	AnswerMax      = 64 << 10 // bytes of headers and body of a Reply's record
	TakenMax       = 256      // answers that a Request says have come
	TokensMax      = 1 << 16  // leases named in an Attach
	CommandsMax    = 1 << 16  // commands of a PeerSubmit
	EventsItemsMax = 1 << 16  // results, deliveries, closings or answers of an Events
)
