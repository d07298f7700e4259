//! An L4 filter with the Rust SDK: closes a connection whose client sends what the configuration forbids.
//! What comes in pieces is held back, so that a word is found however it was cut.

use proxy_wasm::traits::{Context, RootContext, StreamContext};
use proxy_wasm::types::{Action, ContextType, LogLevel};

proxy_wasm::main! {{
    proxy_wasm::set_log_level(LogLevel::Info);
    proxy_wasm::set_root_context(|_| Box::new(Root { word: Vec::new() }));
}}

struct Root {
    word: Vec<u8>,
}

impl Context for Root {}

impl RootContext for Root {
    fn on_configure(&mut self, _size: usize) -> bool {
        // {"forbidden": "word"}; a JSON library would only make the module larger.
        let text = self.get_plugin_configuration().unwrap_or_default();
        let text = String::from_utf8_lossy(&text).into_owned();
        match text.split('"').nth(3) {
            Some(word) if !word.is_empty() => self.word = word.as_bytes().to_vec(),
            _ => {
                proxy_wasm::hostcalls::log(LogLevel::Error, "no forbidden word is configured").unwrap();
                return false;
            }
        }
        true
    }

    fn create_stream_context(&self, _id: u32) -> Option<Box<dyn StreamContext>> {
        Some(Box::new(Connection { word: self.word.clone() }))
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::StreamContext)
    }
}

struct Connection {
    word: Vec<u8>,
}

impl Context for Connection {}

impl StreamContext for Connection {
    fn on_downstream_data(&mut self, size: usize, end: bool) -> Action {
        let data = self.get_downstream_data(0, size).unwrap_or_default();
        if data.windows(self.word.len()).any(|part| part == self.word) {
            proxy_wasm::hostcalls::log(LogLevel::Warn, "closing: a forbidden word").unwrap();
            self.close_downstream();
            return Action::Pause;
        }
        let begins = (1..self.word.len()).any(|count| data.ends_with(&self.word[..count]));
        if begins && !end {
            return Action::Pause;
        }
        Action::Continue
    }
}
