//! Connections beside each other: transactions and their conflicts.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use libsql::{Connection, TransactionBehavior};

use crate::{column, fails, fresh, integers};

const SCHEMA: &str = "CREATE TABLE t (id INTEGER PRIMARY KEY)";
const ALL: &str = "SELECT id FROM t ORDER BY id";

async fn insert(connection: &Connection, id: i64) -> libsql::Result<u64> {
    connection.execute("INSERT INTO t VALUES (?)", [id]).await
}

mod transactions {
    use super::*;

    #[tokio::test]
    async fn commit() {
        let db = fresh(SCHEMA).await;
        for behavior in [
            TransactionBehavior::Deferred,
            TransactionBehavior::Immediate,
            TransactionBehavior::Exclusive,
        ] {
            let before = column(&db.connection, ALL, ()).await;
            let id = before.len() as i64;
            let transaction = db.connection.transaction_with_behavior(behavior).await.unwrap();
            insert(&transaction, id).await.unwrap();
            assert_eq!(column(&transaction, ALL, ()).await, integers(0..=id));
            assert_eq!(column(&db.connect(), ALL, ()).await, before);
            transaction.commit().await.unwrap();
        }
        assert_eq!(column(&db.connection, ALL, ()).await, integers(0..3));
    }

    #[tokio::test]
    async fn rollback() {
        let db = fresh(SCHEMA).await;
        let transaction = db.connection.transaction().await.unwrap();
        insert(&transaction, 1).await.unwrap();
        transaction.rollback().await.unwrap();
        insert(&db.connection, 2).await.unwrap();
        assert_eq!(column(&db.connection, ALL, ()).await, integers([2]));
    }

    #[tokio::test]
    async fn one_that_is_dropped_is_rolled_back_at_once() {
        let db = fresh(SCHEMA).await;
        let transaction = db.connection.transaction().await.unwrap();
        insert(&transaction, 1).await.unwrap();
        drop(transaction);
        let start = Instant::now();
        insert(&db.connection, 2).await.unwrap();
        assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
        assert_eq!(column(&db.connection, ALL, ()).await, integers([2]));
    }

    #[tokio::test]
    async fn one_that_only_reads_sees_one_state_and_cannot_write() {
        let db = fresh(SCHEMA).await;
        let behavior = TransactionBehavior::ReadOnly;
        let reader = db.connection.transaction_with_behavior(behavior).await.unwrap();
        assert_eq!(column(&reader, ALL, ()).await, []);
        insert(&db.connect(), 1).await.unwrap();
        assert_eq!(column(&reader, ALL, ()).await, []);
        fails(insert(&reader, 2).await, "SQLITE_", "");
        reader.rollback().await.unwrap();
        assert_eq!(column(&db.connection, ALL, ()).await, integers([1]));
    }

    #[tokio::test]
    async fn a_failing_statement_leaves_them_usable() {
        let db = fresh(SCHEMA).await;
        let transaction = db.connection.transaction().await.unwrap();
        insert(&transaction, 1).await.unwrap();
        fails(insert(&transaction, 1).await, "SQLITE_CONSTRAINT", "UNIQUE constraint failed: t.id");
        insert(&transaction, 2).await.unwrap();
        transaction.commit().await.unwrap();
        assert_eq!(column(&db.connection, ALL, ()).await, integers([1, 2]));
    }
}

mod conflicts {
    use super::*;

    #[tokio::test]
    async fn of_two_that_read_and_then_write_the_second_is_told() {
        let db = fresh(SCHEMA).await;
        let first = db.connection.transaction().await.unwrap();
        let second = db.connect().transaction().await.unwrap();
        for transaction in [&first, &second] {
            assert_eq!(column(transaction, ALL, ()).await, []);
        }
        insert(&first, 1).await.unwrap();
        first.commit().await.unwrap();
        fails(insert(&second, 2).await, "SQLITE_BUSY", "database is locked");
        second.rollback().await.unwrap();
        assert_eq!(column(&db.connection, ALL, ()).await, integers([1]));
    }
}

mod parallel {
    use super::*;

    #[tokio::test]
    async fn fifty_writers_wait_for_each_other() {
        let db = fresh(SCHEMA).await;
        let writers = (0..50).map(|id| {
            let connection = db.connect();
            async move {
                let behavior = TransactionBehavior::Immediate;
                let transaction = connection.transaction_with_behavior(behavior).await?;
                insert(&transaction, id * 2).await?;
                insert(&transaction, id * 2 + 1).await?;
                transaction.commit().await
            }
        });
        for result in join_all(writers).await {
            result.unwrap();
        }
        assert_eq!(column(&db.connection, ALL, ()).await, integers(0..100));
    }
}
