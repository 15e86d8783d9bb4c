//! Inserts of many clients in one transaction: what a server could do at most if it waited for the disk once for all
//! of them. None keeps its own errors, and no transaction can be of one client alone.

use std::path::Path;
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{LazyLock, PoisonError};

use axum::body::Bytes;
use tokio::sync::oneshot;

use super::{Database, WRITING, with_database};
use crate::Result;

/// As many as the clients of the load that is compared with it.
const GROUP: usize = 32;

/// A request and who waits for the answer.
type Waiting = (Bytes, oneshot::Sender<Result<Vec<u8>>>);

/// Answers a request together with others.
pub(crate) async fn respond(path: &Path, body: Bytes) -> Result<Vec<u8>> {
    /// The thread that writes.
    static WRITER: LazyLock<Sender<(Box<Path>, Waiting)>> = LazyLock::new(|| {
        let (asking, asked) = mpsc::channel();
        std::thread::spawn(move || write(&asked));
        asking
    });
    let (answer, answered) = oneshot::channel();
    WRITER.send((path.into(), (body, answer)))?;
    answered.await?
}

fn write(asked: &Receiver<(Box<Path>, Waiting)>) {
    while let Ok((path, first)) = asked.recv() {
        let mut group = vec![first];
        group.extend(asked.try_iter().take(GROUP - 1).map(|(_, waiting)| waiting));
        let outcome = with_database(&path, |database| answer(database, &group));
        let answers = outcome.unwrap_or_else(|error| {
            let message = error.to_string();
            group.iter().map(|_| Err(message.clone().into())).collect()
        });
        for ((_, waiting), answer) in group.into_iter().zip(answers) {
            let _ = waiting.send(answer);
        }
    }
}

fn answer(database: &mut Database, group: &[Waiting]) -> Result<Vec<Result<Vec<u8>>>> {
    let _turn = WRITING.lock().unwrap_or_else(PoisonError::into_inner);
    database.connection.execute_batch("BEGIN IMMEDIATE")?;
    let answers = group.iter().map(|(body, _)| database.respond(body, true)).collect();
    database.connection.execute_batch("COMMIT")?;
    Ok(answers)
}
