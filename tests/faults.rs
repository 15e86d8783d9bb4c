//! Migrations of schema databases when something goes wrong: the process dies, children are broken, locked, full,
//! gone or new, statements fail.

mod client;
mod comings;
mod crashes;
mod crowded;
mod estate;
mod failures;
mod family;
mod group_commit;
mod later;
mod load;
mod locks;
mod points;
mod queue;
mod rebuilds;
mod resumes;
mod run_failures;
mod transactions;
