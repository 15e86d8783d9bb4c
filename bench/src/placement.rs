//! Which processors the driver and a server may use.
//!
//! With one client only one side works at a time, and a request takes two or three times as long when the
//! system happens to wake the other side on another processor. That is luck, not speed, and would drown
//! every difference; so one client and its server are kept on processors of their own.

use std::io;

use rustix::process::Pid;
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// The driver on one processor, a server on the others. Ends when this is dropped.
pub(crate) struct Apart {
    server: u32,
    all: CpuSet,
}

impl Apart {
    /// Places this process and the one called `server`; `None` where there is only one processor.
    pub(crate) fn place(server: u32) -> io::Result<Option<Self>> {
        let all = sched_getaffinity(None)?;
        let Some(last) = (0..CpuSet::MAX_CPU).rev().find(|cpu| all.is_set(*cpu)) else {
            return Ok(None);
        };
        if all.count() < 2 {
            return Ok(None);
        }
        let (mut driver, mut others) = (CpuSet::new(), all);
        driver.set(last);
        others.unset(last);
        let apart = Apart { server, all };
        sched_setaffinity(None, &driver)?;
        place_threads(server, &others)?;
        Ok(Some(apart))
    }
}

impl Drop for Apart {
    fn drop(&mut self) {
        let _ = sched_setaffinity(None, &self.all);
        let _ = place_threads(self.server, &self.all);
    }
}

/// Threads that come later are placed as the thread that starts them.
fn place_threads(process: u32, cpus: &CpuSet) -> io::Result<()> {
    for thread in std::fs::read_dir(format!("/proc/{process}/task"))? {
        let id = thread?.file_name().to_str().and_then(|id| Pid::from_raw(id.parse().ok()?));
        match sched_setaffinity(id, cpus) {
            // It has ended since.
            Err(rustix::io::Errno::SRCH) => {}
            outcome => outcome?,
        }
    }
    Ok(())
}
