//! Several migrations: of one schema one after the other, of several at the same time.

use super::client::on;
use super::family::{check_alike, family, hold, start, tried};

const TABLES: [&str; 2] = ["CREATE TABLE t (n)", "CREATE TABLE held (text)"];

#[tokio::test(flavor = "multi_thread")]
async fn a_migration_does_not_wait_for_that_of_another_schema() {
    let server = start().await;
    family(&server, "one", &["a", "b"], &TABLES).await;
    family(&server, "two", &["c", "d"], &TABLES).await;
    let mut holder = hold(&server, "b").await;
    let (one, two) = (on(&server, "one"), on(&server, "two"));
    let other = async {
        tried(&server, &["a"]).await;
        two.run(&["ALTER TABLE t ADD COLUMN two"]).await;
        on(&server, "d").run(&["INSERT INTO t (two) VALUES (2)"]).await;
        // The first is waiting all the while.
        assert_eq!(on(&server, "a").run(&["SELECT name FROM pragma_table_info('t')"]).await, "n");
        holder.ask("COMMIT").await.unwrap();
    };
    tokio::join!(one.run(&["ALTER TABLE t ADD COLUMN one"]), other);
    check_alike(&server, &["one", "a", "b"]).await;
    check_alike(&server, &["two", "c", "d"]).await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_migrations_in_a_row_and_eight_clients_at_once() {
    let server = start().await;
    family(&server, "s", &["a", "b", "c"], &TABLES).await;
    let schema = on(&server, "s");
    for number in 0..50 {
        schema.run(&[&format!("ALTER TABLE t ADD COLUMN c{number}")]).await;
    }
    let columns = "SELECT count(*) FROM pragma_table_info('t')";
    assert_eq!(on(&server, "c").run(&[columns]).await, "51");
    check_alike(&server, &["s", "a", "b", "c"]).await;

    let migrate = async |client: usize| {
        for number in 0..3 {
            let sql = format!("CREATE TABLE t_{client}_{number} (x)");
            on(&server, "s").run(&[&sql]).await;
        }
    };
    tokio::join!(
        migrate(0),
        migrate(1),
        migrate(2),
        migrate(3),
        migrate(4),
        migrate(5),
        migrate(6),
        migrate(7)
    );
    let tables = "SELECT count(*) FROM sqlite_schema WHERE name LIKE 't!_%' ESCAPE '!'";
    assert_eq!(on(&server, "b").run(&[tables]).await, "24");
    check_alike(&server, &["s", "a", "b", "c"]).await;
    server.stop().await;
}
