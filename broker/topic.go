package broker

import (
	"github.com/ferrymq/ferrymq/fsm"
	"github.com/ferrymq/ferrymq/transport"
)

func (c *conn) topicOp(f transport.Frame) error {
	switch f.Op {
	case transport.OpTopicCreate:
		var m transport.TopicCreate
		return c.queueCommand(&f, m.Decode, &m.OpHeader, &m.Topic, fsm.KindTopicCreate, func(b []byte, h fsm.OpHeader) []byte {
			return fsm.AppendTopicCreate(b, &fsm.TopicCreate{OpHeader: h, Topic: m.Topic, Settings: fsm.TopicSettings{
				DedupMillis: m.Settings.DedupMs, DedupCapacity: m.Settings.DedupCapacity,
			}})
		})
	case transport.OpTopicDelete:
		var m transport.TopicDelete
		return c.queueCommand(&f, m.Decode, &m.OpHeader, &m.Topic, fsm.KindTopicDelete, func(b []byte, h fsm.OpHeader) []byte {
			return fsm.AppendTopicDelete(b, &fsm.TopicDelete{OpHeader: h, Topic: m.Topic, IfUnused: m.IfUnused})
		})
	default:
		var m transport.Subscribe
		return c.queueCommand(&f, m.Decode, &m.OpHeader, &m.Topic, fsm.KindSubscribe, func(b []byte, h fsm.OpHeader) []byte {
			return fsm.AppendSubscribe(b, &fsm.Subscribe{
				OpHeader: h, Topic: m.Topic, Queue: m.Queue, Filter: m.Filter,
				Required: m.Required, Session: m.Session, Settings: settingsOf(&m.Settings),
			})
		}, &m.Queue, &m.Filter)
	}
}
