//! What one socket says: mostly what the protocol allows, now and then what it does not.

use std::collections::{BTreeMap, BTreeSet};

use hrana_protocol::Version;
use serde_json::{Value, json};

use super::random::Random;
use super::seeds::{batch, stream_request};

/// The state that a client has made so far.
pub(super) struct Script {
    version: Version,
    streams: BTreeSet<i32>,
    /// The stream of each cursor.
    cursors: BTreeMap<i32, i32>,
    sqls: BTreeSet<i32>,
    /// One in so many requests has any id at all, or is not of this version.
    order: usize,
}

impl Script {
    pub(super) fn new(version: Version, order: usize) -> Self {
        Script {
            version,
            streams: BTreeSet::new(),
            cursors: BTreeMap::new(),
            sqls: BTreeSet::new(),
            order,
        }
    }

    /// The next request.
    pub(super) fn next(&mut self, random: &mut Random) -> Value {
        loop {
            let is_wild = random.one_in(self.order);
            let request = self.any(random, is_wild);
            if is_wild || self.allows(&request) {
                self.note(&request);
                return request;
            }
        }
    }

    fn any(&self, random: &mut Random, is_wild: bool) -> Value {
        let known = |ids: Vec<i32>, random: &mut Random| match ids.as_slice() {
            ids if !ids.is_empty() && !is_wild => *random.pick(ids),
            _ => *random.pick(&[0, 1, 2, 3, -1, i32::MIN, i32::MAX]),
        };
        let stream = known(self.streams.iter().copied().collect(), random);
        let cursor = known(self.cursors.keys().copied().collect(), random);
        let new = random.below(6) as i32;
        match random.below(18) {
            0..2 => json!({ "type": "open_stream", "stream_id": new }),
            2 => json!({ "type": "close_stream", "stream_id": stream }),
            3 => json!({ "type": "open_cursor", "stream_id": stream, "cursor_id": new,
                "batch": batch(random, true) }),
            4..7 => json!({ "type": "fetch_cursor", "cursor_id": cursor,
                "max_count": random.below(300) }),
            7 => json!({ "type": "close_cursor", "cursor_id": cursor }),
            _ => {
                let mut request = stream_request(random, true);
                request["stream_id"] = stream.into();
                request
            }
        }
    }

    /// Whether the protocol allows a request now.
    fn allows(&self, request: &Value) -> bool {
        let id = |name: &str| request[name].as_i64().map_or(0, |id| id as i32);
        let (stream, cursor) = (id("stream_id"), id("cursor_id"));
        let is_free = self.streams.contains(&stream) && !self.has_cursor(stream);
        let text = request.to_string();
        let needed = match request["type"].as_str().unwrap_or_default() {
            "open_stream" | "close_stream" | "execute" | "batch" => Version::Hrana1,
            "open_cursor" | "fetch_cursor" | "close_cursor" | "get_autocommit" => Version::Hrana3,
            _ => Version::Hrana2,
        };
        let needed = match needed {
            _ if text.contains("is_autocommit") => Version::Hrana3,
            _ if text.contains("sql_id") => needed.max(Version::Hrana2),
            needed => needed,
        };
        self.version >= needed
            && match request["type"].as_str().unwrap_or_default() {
                "open_stream" => !self.streams.contains(&stream),
                "close_stream" => self.streams.contains(&stream),
                "open_cursor" => is_free && !self.cursors.contains_key(&cursor),
                "fetch_cursor" | "close_cursor" => self.cursors.contains_key(&cursor),
                "store_sql" => !self.sqls.contains(&id("sql_id")),
                "close_sql" => true,
                _ => is_free,
            }
    }

    fn note(&mut self, request: &Value) {
        let id = |name: &str| request[name].as_i64().map_or(0, |id| id as i32);
        let (stream, cursor) = (id("stream_id"), id("cursor_id"));
        match request["type"].as_str().unwrap_or_default() {
            "open_stream" => drop(self.streams.insert(stream)),
            "close_stream" => {
                self.streams.remove(&stream);
                self.cursors.retain(|_, on| *on != stream);
            }
            "open_cursor" => drop(self.cursors.insert(cursor, stream)),
            "close_cursor" => drop(self.cursors.remove(&cursor)),
            "store_sql" => drop(self.sqls.insert(id("sql_id"))),
            "close_sql" => drop(self.sqls.remove(&id("sql_id"))),
            _ => {}
        }
    }

    fn has_cursor(&self, stream: i32) -> bool {
        self.cursors.values().any(|on| *on == stream)
    }
}
