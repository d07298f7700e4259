// An L4 filter in the manner of the article: it pauses until answers are whole, and then replaces what
// is classified in them. It knows nothing of the gateway.
package main

import (
	"bytes"
	"encoding/binary"

	"github.com/proxy-wasm/proxy-wasm-go-sdk/proxywasm"
	"github.com/proxy-wasm/proxy-wasm-go-sdk/proxywasm/types"
)

func main() {}

func init() {
	proxywasm.SetVMContext(&vm{})
}

type vm struct{ types.DefaultVMContext }

func (*vm) NewPluginContext(uint32) types.PluginContext { return &plugin{} }

type plugin struct {
	types.DefaultPluginContext
	replaced proxywasm.MetricCounter
}

func (p *plugin) OnPluginStart(int) types.OnPluginStartStatus {
	configuration, err := proxywasm.GetPluginConfiguration()
	if err != nil && err != types.ErrorStatusNotFound {
		proxywasm.LogCriticalf("configuration: %v", err)
		return types.OnPluginStartStatusFailed
	}
	p.replaced = proxywasm.DefineCounterMetric("go_frames_replaced")
	proxywasm.LogInfof("configured with %d bytes", len(configuration))
	return types.OnPluginStartStatusOK
}

func (p *plugin) NewTcpContext(uint32) types.TcpContext { return &connection{plugin: p} }

type connection struct {
	types.DefaultTcpContext
	plugin *plugin
}

func (c *connection) OnUpstreamData(size int, end bool) types.Action {
	if size == 0 {
		return types.ActionContinue
	}
	data, err := proxywasm.GetUpstreamData(0, size)
	if err != nil {
		proxywasm.LogErrorf("data: %v", err)
		return types.ActionContinue
	}
	whole := 0
	for whole+4 <= len(data) {
		whole += 4 + int(binary.BigEndian.Uint32(data[whole:]))
	}
	if whole != len(data) && !end {
		return types.ActionPause
	}
	if count := bytes.Count(data, []byte("classified")); count > 0 {
		data = bytes.ReplaceAll(data, []byte("classified"), []byte("**********"))
		if err := proxywasm.ReplaceUpstreamData(data); err != nil {
			proxywasm.LogErrorf("replace: %v", err)
		}
		c.plugin.replaced.Increment(uint64(count))
	}
	return types.ActionContinue
}
