// A TCP filter for any Proxy-Wasm host, in Go: hides one word in both directions.
//
// The plug-in configuration is the word. Beside that it counts: connections (in shared data, over
// all VMs), and hidden words and ticks (as metrics).
//
// Build: GOOS=wasip1 GOARCH=wasm go build -buildmode=c-shared -o mask.wasm
package main

import (
	"bytes"
	"errors"
	"strconv"

	"github.com/proxy-wasm/proxy-wasm-go-sdk/proxywasm"
	"github.com/proxy-wasm/proxy-wasm-go-sdk/proxywasm/types"
)

func main() {}

func init() {
	proxywasm.SetVMContext(&vm{})
}

type vm struct {
	types.DefaultVMContext
}

func (*vm) NewPluginContext(uint32) types.PluginContext {
	return &plugin{
		hidden: proxywasm.DefineCounterMetric("hidden_words"),
		ticks:  proxywasm.DefineCounterMetric("ticks"),
	}
}

type plugin struct {
	types.DefaultPluginContext
	word   []byte
	hidden proxywasm.MetricCounter
	ticks  proxywasm.MetricCounter
}

func (p *plugin) OnPluginStart(size int) types.OnPluginStartStatus {
	if size == 0 {
		proxywasm.LogCritical("configure the word to hide")
		return types.OnPluginStartStatusFailed
	}
	word, err := proxywasm.GetPluginConfiguration()
	if err != nil {
		proxywasm.LogCriticalf("reading the configuration: %v", err)
		return types.OnPluginStartStatusFailed
	}
	p.word = word
	if err := proxywasm.SetTickPeriodMilliSeconds(1000); err != nil {
		proxywasm.LogCriticalf("asking for ticks: %v", err)
		return types.OnPluginStartStatusFailed
	}
	return types.OnPluginStartStatusOK
}

func (p *plugin) OnTick() {
	p.ticks.Increment(1)
}

func (p *plugin) NewTcpContext(uint32) types.TcpContext {
	return &connection{plugin: p}
}

type connection struct {
	types.DefaultTcpContext
	plugin *plugin
}

func (c *connection) OnNewConnection() types.Action {
	address, err := proxywasm.GetProperty([]string{"source", "address"})
	if err != nil {
		address = []byte("somewhere")
	}
	proxywasm.LogInfof("connection %d from %s", countConnection(), address)
	return types.ActionContinue
}

// Adds one to what all VMs share, again if another was faster.
func countConnection() int {
	for {
		value, cas, err := proxywasm.GetSharedData("connections")
		if err != nil && !errors.Is(err, types.ErrorStatusNotFound) {
			return 0
		}
		count, _ := strconv.Atoi(string(value))
		count++
		err = proxywasm.SetSharedData("connections", []byte(strconv.Itoa(count)), cas)
		if !errors.Is(err, types.ErrorStatusCasMismatch) {
			return count
		}
	}
}

func (c *connection) hide(data []byte) ([]byte, bool) {
	count := bytes.Count(data, c.plugin.word)
	if count == 0 {
		return nil, false
	}
	c.plugin.hidden.Increment(uint64(count))
	return bytes.ReplaceAll(data, c.plugin.word, bytes.Repeat([]byte{'*'}, len(c.plugin.word))), true
}

func (c *connection) OnDownstreamData(size int, end bool) types.Action {
	if size == 0 {
		return types.ActionContinue
	}
	data, err := proxywasm.GetDownstreamData(0, size)
	if err != nil {
		proxywasm.LogErrorf("reading what the client sent: %v", err)
		return types.ActionContinue
	}
	// A line at a time: a word is never cut in two.
	if !end && data[len(data)-1] != '\n' {
		return types.ActionPause
	}
	if hidden, changed := c.hide(data); changed {
		if err := proxywasm.ReplaceDownstreamData(hidden); err != nil {
			proxywasm.LogErrorf("replacing what the client sent: %v", err)
		}
	}
	return types.ActionContinue
}

func (c *connection) OnUpstreamData(size int, end bool) types.Action {
	if size == 0 {
		return types.ActionContinue
	}
	data, err := proxywasm.GetUpstreamData(0, size)
	if err != nil {
		proxywasm.LogErrorf("reading what the server sent: %v", err)
		return types.ActionContinue
	}
	if !end && data[len(data)-1] != '\n' {
		return types.ActionPause
	}
	if hidden, changed := c.hide(data); changed {
		if err := proxywasm.ReplaceUpstreamData(hidden); err != nil {
			proxywasm.LogErrorf("replacing what the server sent: %v", err)
		}
	}
	return types.ActionContinue
}

func (c *connection) OnStreamDone() {
	proxywasm.LogInfo("connection done")
}
