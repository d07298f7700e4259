//! A TCP filter for any Proxy-Wasm host, in Rust: hides one word in both directions.
//!
//! The plug-in configuration is the word. Beside that it counts: connections (in shared data, over
//! all VMs), and hidden words and ticks (as metrics).
//!
//! Build: cargo build --release --target wasm32-wasip1
use proxy_wasm::hostcalls;
use proxy_wasm::traits::{Context, RootContext, StreamContext};
use proxy_wasm::types::{Action, BufferType, ContextType, LogLevel, MetricType, Status};
use std::time::Duration;

proxy_wasm::main! {{
    proxy_wasm::set_log_level(LogLevel::Info);
    proxy_wasm::set_root_context(|_| Box::new(Plugin { word: Vec::new(), hidden: 0, ticks: 0 }));
}}

struct Plugin {
    word: Vec<u8>,
    hidden: u32,
    ticks: u32,
}

impl Context for Plugin {
    fn on_foreign_function(&mut self, function: u32, size: usize) {
        let data = hostcalls::get_buffer(BufferType::CallData, 0, size).ok().flatten();
        let text = String::from_utf8_lossy(&data.unwrap_or_default()).into_owned();
        log(&format!("foreign function {function}: {text}"));
    }
}

impl RootContext for Plugin {
    fn on_configure(&mut self, size: usize) -> bool {
        let metric = |name| hostcalls::define_metric(MetricType::Counter, name);
        let (Ok(hidden), Ok(ticks)) = (metric("hidden_words"), metric("ticks")) else {
            return false;
        };
        self.hidden = hidden;
        self.ticks = ticks;
        self.word = self.get_plugin_configuration().unwrap_or_default();
        if size == 0 {
            log("configure the word to hide");
            return false;
        }
        self.set_tick_period(Duration::from_secs(1));
        true
    }

    fn on_tick(&mut self) {
        let _ = hostcalls::increment_metric(self.ticks, 1);
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::StreamContext)
    }

    fn create_stream_context(&self, _: u32) -> Option<Box<dyn StreamContext>> {
        Some(Box::new(Connection { word: self.word.clone(), hidden: self.hidden }))
    }
}

struct Connection {
    word: Vec<u8>,
    hidden: u32,
}

impl Connection {
    /// Adds one to what all VMs share, again if another was faster.
    fn count(&self) -> u32 {
        loop {
            let (value, cas) = self.get_shared_data("connections");
            let text = String::from_utf8_lossy(&value.unwrap_or_default()).into_owned();
            let count = text.parse::<u32>().unwrap_or(0) + 1;
            match self.set_shared_data("connections", Some(count.to_string().as_bytes()), cas) {
                Err(Status::CasMismatch) => {}
                _ => return count,
            }
        }
    }

    /// Overwrites the word wherever it is, and says whether it was there.
    fn hide(&self, data: &mut [u8]) -> bool {
        let mut count = 0;
        let mut at = 0;
        while at + self.word.len() <= data.len() {
            if data[at..].starts_with(&self.word) {
                data[at..at + self.word.len()].fill(b'*');
                at += self.word.len();
                count += 1;
            } else {
                at += 1;
            }
        }
        if count > 0 {
            let _ = hostcalls::increment_metric(self.hidden, count);
        }
        count > 0
    }
}

impl Context for Connection {
    fn on_done(&mut self) -> bool {
        log("connection done");
        true
    }
}

impl StreamContext for Connection {
    fn on_new_connection(&mut self) -> Action {
        let address = self.get_property(vec!["source", "address"]);
        let address = address.unwrap_or_else(|| b"somewhere".to_vec());
        log(&format!("connection {} from {}", self.count(), String::from_utf8_lossy(&address)));
        Action::Continue
    }

    fn on_downstream_data(&mut self, size: usize, end: bool) -> Action {
        let Some(mut data) = self.get_downstream_data(0, size) else {
            return Action::Continue;
        };
        // A line at a time: a word is never cut in two.
        if !end && data.last() != Some(&b'\n') {
            return Action::Pause;
        }
        if self.hide(&mut data) {
            self.set_downstream_data(0, usize::MAX, &data);
        }
        Action::Continue
    }

    fn on_upstream_data(&mut self, size: usize, end: bool) -> Action {
        let Some(mut data) = self.get_upstream_data(0, size) else {
            return Action::Continue;
        };
        if !end && data.last() != Some(&b'\n') {
            return Action::Pause;
        }
        if self.hide(&mut data) {
            self.set_upstream_data(0, usize::MAX, &data);
        }
        Action::Continue
    }
}

fn log(text: &str) {
    let _ = hostcalls::log(LogLevel::Info, text);
}
