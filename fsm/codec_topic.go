package fsm

import "github.com/ferrymq/ferrymq/transport/wire"

// The bytes of the commands of topics.

func AppendTopicCreate(dst []byte, c *TopicCreate) []byte {
	from := len(dst)
	dst = wire.AppendString(appendHeader(dst, KindTopicCreate, &c.OpHeader), c.Topic)
	return seal(appendTopicSettings(dst, &c.Settings), from)
}

func (x *TopicCreate) read(c *wire.Cursor) {
	x.OpHeader.read(c)
	x.Topic = c.String()
	x.Settings.read(c)
}

func AppendTopicDelete(dst []byte, c *TopicDelete) []byte {
	from := len(dst)
	dst = wire.AppendString(appendHeader(dst, KindTopicDelete, &c.OpHeader), c.Topic)
	return seal(wire.AppendBool(dst, c.IfUnused), from)
}

func (x *TopicDelete) read(c *wire.Cursor) {
	x.OpHeader.read(c)
	x.Topic = c.String()
	x.IfUnused = c.Bool()
}

func AppendSubscribe(dst []byte, c *Subscribe) []byte {
	from := len(dst)
	dst = wire.AppendString(appendHeader(dst, KindSubscribe, &c.OpHeader), c.Topic)
	dst = wire.AppendString(dst, c.Queue)
	dst = wire.AppendString(dst, c.Filter)
	dst = wire.AppendBool(dst, c.Required)
	dst = wire.AppendBool(dst, c.Session)
	return seal(appendSettings(dst, &c.Settings), from)
}

func (x *Subscribe) read(c *wire.Cursor) {
	x.OpHeader.read(c)
	x.Topic = c.String()
	x.Queue = c.String()
	x.Filter = c.String()
	x.Required = c.Bool()
	x.Session = c.Bool()
	x.Settings.read(c)
}
