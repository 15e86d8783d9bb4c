//! Clients that ask over and over, each in its own manner: on a connection that is kept alive, on a new one each
//! time, in interactive transactions, with cursors.

use std::net::SocketAddr;
use std::sync::Arc;

use memchr::memmem;

use crate::Result;
use crate::client::{self, Client};
use crate::driver::{Ask, Requests};

/// Requests in turn, from the beginning again at their end.
struct Turns {
    requests: Requests,
    next: usize,
}

/// One request after the other on the same connection.
pub(crate) struct KeptAlive {
    client: Client,
    turns: Turns,
}

/// Every request on a connection of its own.
pub(crate) struct Churning {
    address: SocketAddr,
    /// The last one, because the answer is in it.
    client: Option<Client>,
    turns: Turns,
}

/// Every statement a request of its own, which carries the baton of the last answer.
pub(crate) struct Transacting {
    address: SocketAddr,
    client: Client,
    statements: Arc<[String]>,
}

/// A cursor to its end; then its stream is closed.
pub(crate) struct Cursoring {
    address: SocketAddr,
    client: Client,
    request: Box<[u8]>,
    /// Of the last answer.
    end: Vec<u8>,
}

impl Turns {
    /// Those of one of so many clients, which begin at different requests.
    fn of(requests: &Requests, index: usize, clients: usize) -> Self {
        Turns { requests: Arc::clone(requests), next: index * requests.len() / clients }
    }

    fn next(&mut self) -> &[u8] {
        let request = &self.requests[self.next];
        self.next = (self.next + 1) % self.requests.len();
        request
    }
}

impl KeptAlive {
    pub(crate) async fn many(
        address: SocketAddr,
        requests: &Requests,
        clients: usize,
    ) -> Result<Vec<Self>> {
        let mut all = Vec::new();
        for index in 0..clients {
            let client = Client::connect(address).await?;
            all.push(KeptAlive { client, turns: Turns::of(requests, index, clients) });
        }
        Ok(all)
    }
}

impl Ask for KeptAlive {
    async fn ask(&mut self) -> Result<&[u8]> {
        self.client.ask(self.turns.next()).await
    }
}

impl Churning {
    pub(crate) fn many(address: SocketAddr, requests: &Requests, clients: usize) -> Vec<Self> {
        let one = |index: usize| Churning {
            address,
            client: None,
            turns: Turns::of(requests, index, clients),
        };
        (0..clients).map(one).collect()
    }
}

impl Ask for Churning {
    async fn ask(&mut self) -> Result<&[u8]> {
        self.client = None;
        let client = self.client.insert(Client::connect(self.address).await?);
        client.ask(self.turns.next()).await
    }
}

impl Transacting {
    pub(crate) async fn many(
        address: SocketAddr,
        statements: &Arc<[String]>,
        clients: usize,
    ) -> Result<Vec<Self>> {
        let mut all = Vec::new();
        for _ in 0..clients {
            let client = Client::connect(address).await?;
            all.push(Transacting { address, client, statements: Arc::clone(statements) });
        }
        Ok(all)
    }
}

impl Ask for Transacting {
    async fn ask(&mut self) -> Result<&[u8]> {
        let (last, others) = self.statements.split_last().ok_or("there is no statement")?;
        let mut baton = "null".to_owned();
        for stmt in others {
            let request = continued(self.address, &baton, stmt, "");
            baton = new_baton(self.client.ask(&request).await?)?;
        }
        let request = continued(self.address, &baton, last, ",{\"type\":\"close\"}");
        self.client.ask(&request).await
    }
}

impl Cursoring {
    pub(crate) async fn many(address: SocketAddr, stmt: &str, clients: usize) -> Result<Vec<Self>> {
        let body = format!("{{\"batch\":{{\"steps\":[{{\"stmt\":{stmt}}}]}}}}");
        let mut all = Vec::new();
        for _ in 0..clients {
            let client = Client::connect(address).await?;
            let request = client::post(address, "/v3/cursor", "", &body);
            all.push(Cursoring { address, client, request, end: Vec::new() });
        }
        Ok(all)
    }
}

impl Ask for Cursoring {
    /// Returns the end of the rows.
    async fn ask(&mut self) -> Result<&[u8]> {
        let answer = self.client.ask(&self.request).await?;
        let baton = new_baton(answer)?;
        let end = answer[answer.len().saturating_sub(500)..].to_vec();
        if memmem::find(&end, b"\"step_end\"").is_none() {
            return Err("the cursor did not come to its end".into());
        }
        let body = format!("{{\"baton\":{baton},\"requests\":[{{\"type\":\"close\"}}]}}");
        self.client.ask(&client::post(self.address, "/v3/pipeline", "", &body)).await?;
        self.end = end;
        Ok(&self.end)
    }
}

/// A pipeline that goes on with the stream of `baton`, a JSON value.
fn continued(address: SocketAddr, baton: &str, stmt: &str, more: &str) -> Box<[u8]> {
    let body = format!(
        "{{\"baton\":{baton},\"requests\":[{{\"type\":\"execute\",\"stmt\":{stmt}}}{more}]}}"
    );
    client::post(address, "/v2/pipeline", "", &body)
}

/// The baton of an answer, as the JSON value that it is.
fn new_baton(answer: &[u8]) -> Result<String> {
    const NAME: &str = "\"baton\":";
    let start = memmem::find(answer, NAME.as_bytes()).ok_or("the answer has no baton")?;
    let after = &answer[start + NAME.len()..];
    let length = after.iter().position(|byte| *byte == b',').ok_or("the baton has no end")?;
    Ok(std::str::from_utf8(&after[..length])?.to_owned())
}
