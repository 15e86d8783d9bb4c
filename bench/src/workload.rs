//! What is asked for under load, by whom, and what a right answer is.

use std::sync::Arc;

use crate::args::{Extent, Scenario};
use crate::client;
use crate::clients::{Churning, Cursoring, KeptAlive, Transacting};
use crate::driver::{self, Ask, Failures, Measured, Requests};
use crate::http2::Http2;
use crate::server::{Kind, Server};
use crate::statements::{insert, interactive, mixed, point_reads, statement, transaction_of_50};
use crate::{Result, protobuf, rqlite};

/// What is asked for, and how.
pub(crate) struct Workload {
    pub(crate) name: &'static str,
    pub(crate) manner: Manner,
    /// Hrana statements in JSON, or whole requests of a pipeline.
    statements: Arc<[String]>,
    /// Part of the answer to the first request, so that only right answers are measured.
    pub(crate) expected: &'static str,
    pub(crate) writes: bool,
}

/// How it is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Manner {
    /// A pipeline per statement, on connections that are kept alive.
    KeptAlive,
    /// The statements as one batch.
    Batch,
    NewConnections,
    Transaction,
    Cursor,
    Http2,
    Protobuf,
}

impl Workload {
    /// What a scenario asks for, if it is one of requests under load.
    pub(crate) fn new(scenario: Scenario) -> Option<Self> {
        let item_1 = "the name of item 1";
        let (name, manner, statements, expected) = match scenario {
            Scenario::Select1 => (
                "select_1",
                Manner::KeptAlive,
                vec![statement("SELECT 1", None)],
                "\"value\":\"1\"",
            ),
            Scenario::PointRead => ("point_read", Manner::KeptAlive, point_reads(), item_1),
            Scenario::Http2PointRead => ("http2_point_read", Manner::Http2, point_reads(), item_1),
            Scenario::ProtobufPointRead => {
                ("protobuf_point_read", Manner::Protobuf, point_reads(), item_1)
            }
            Scenario::ConnectionChurn => {
                ("connection_churn", Manner::NewConnections, point_reads(), item_1)
            }
            Scenario::Insert => {
                ("insert", Manner::KeptAlive, vec![insert()], "\"affected_row_count\":1")
            }
            Scenario::Batch50 => {
                ("batch_50", Manner::Batch, transaction_of_50(), "\"affected_row_count\":1")
            }
            Scenario::Transaction => {
                ("transaction", Manner::Transaction, interactive(), "\"type\":\"close\"")
            }
            Scenario::Mixed => ("mixed_90_10", Manner::KeptAlive, mixed(), item_1),
            Scenario::Rows1000 => {
                let sql = "SELECT id, name FROM items LIMIT 1000";
                ("rows_1000", Manner::KeptAlive, vec![statement(sql, None)], "item 1000\"")
            }
            Scenario::Cursor100000 => {
                let sql = "SELECT id, name FROM many";
                ("cursor_100000", Manner::Cursor, vec![statement(sql, None)], "row 100000\"")
            }
            _ => return None,
        };
        let writes = matches!(
            scenario,
            Scenario::Insert | Scenario::Batch50 | Scenario::Transaction | Scenario::Mixed
        );
        Some(Workload { name, manner, statements: statements.into(), expected, writes })
    }

    /// How many clients ask, one load after the other.
    pub(crate) fn clients(&self) -> &'static [usize] {
        match (self.manner, self.name) {
            (_, "insert") => &[1, 32, 256],
            (_, "mixed_90_10") => &[32],
            (Manner::Transaction, _) => &[1, 8],
            (Manner::Cursor, _) => &[1],
            _ => &[1, 32],
        }
    }

    /// The floor has no streams, no cursors and no Protobuf, and rqlite nothing of Hrana.
    pub(crate) fn is_for(&self, kind: Kind) -> bool {
        match self.manner {
            Manner::KeptAlive | Manner::Batch | Manner::NewConnections => true,
            Manner::Http2 => kind != Kind::Rqlite,
            Manner::Transaction | Manner::Cursor | Manner::Protobuf => {
                !matches!(kind, Kind::Floor | Kind::Rqlite)
            }
        }
    }

    /// Loads a server with it, after a look at one answer.
    pub(crate) async fn drive(
        &self,
        server: &Server,
        clients: usize,
        extent: Extent,
    ) -> Result<Measured> {
        let address = server.address;
        let statements = &self.statements;
        match self.manner {
            Manner::KeptAlive | Manner::Batch | Manner::Protobuf => {
                let requests = self.requests(server, clients)?;
                let all = KeptAlive::many(address, &requests, clients).await?;
                self.drive_all(all, server, extent).await
            }
            Manner::NewConnections => {
                let all = Churning::many(address, &self.requests(server, clients)?, clients);
                self.drive_all(all, server, extent).await
            }
            Manner::Transaction => {
                let all = Transacting::many(address, statements, clients).await?;
                self.drive_all(all, server, extent).await
            }
            Manner::Cursor => {
                let all = Cursoring::many(address, &statements[0], clients).await?;
                self.drive_all(all, server, extent).await
            }
            Manner::Http2 => {
                let all = Http2::many(address, statements, clients).await?;
                self.drive_all(all, server, extent).await
            }
        }
    }

    async fn drive_all(
        &self,
        mut all: Vec<impl Ask>,
        server: &Server,
        extent: Extent,
    ) -> Result<Measured> {
        let first = all.first_mut().ok_or("there is no client")?;
        let expected = match server.kind {
            Kind::Rqlite => rqlite::expected(self.expected),
            _ => self.expected,
        };
        check(first.ask().await?, expected)?;
        driver::drive_all(all, extent.warm_up, extent.length, Failures::of(server.kind)).await
    }

    fn requests(&self, server: &Server, clients: usize) -> Result<Requests> {
        let address = server.address;
        // The least that many durable inserts cost is one wait for the disk for all of them.
        let is_grouped = server.kind == Kind::Floor && self.name == "insert" && clients > 1;
        let prefix = if is_grouped { "/grouped" } else { "" };
        let one = |stmt: &String| match self.manner {
            Manner::Protobuf => protobuf::execute(address, stmt),
            _ => server.execute(prefix, stmt),
        };
        match self.manner {
            Manner::Batch if server.kind == Kind::Rqlite => {
                Ok(Arc::from([rqlite::batch(address, &self.statements)?]))
            }
            Manner::Batch => Ok(Arc::from([client::batch(address, &self.statements)])),
            _ => self.statements.iter().map(one).collect(),
        }
    }
}

/// Only right answers are measured.
pub(crate) fn check(answer: &[u8], expected: &str) -> Result<()> {
    if memchr::memmem::find(answer, expected.as_bytes()).is_some() {
        return Ok(());
    }
    let answer = String::from_utf8_lossy(&answer[..answer.len().min(500)]);
    Err(format!("the answer lacks {expected}: {answer}").into())
}
