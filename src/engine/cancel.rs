//! Ctrl-C as a level, not an edge: 0 go on, 1 stop after what is in flight, 2 abandon it.

use tokio::sync::watch;

/// How urgently the run is asked to stop.
#[derive(Clone, Debug)]
pub struct Cancel {
    level: watch::Receiver<u8>,
}

impl Cancel {
    /// A handle and the sender that raises the level.
    pub fn new() -> (watch::Sender<u8>, Self) {
        let (sender, level) = watch::channel(0);
        (sender, Self { level })
    }

    /// Whether no further step may begin.
    pub fn stops(&self) -> bool {
        *self.level.borrow() >= 1
    }

    /// Waits until the level is reached. Never returns if nobody can raise it any more.
    pub async fn reached(&self, wanted: u8) {
        let mut level = self.level.clone();
        while *level.borrow_and_update() < wanted {
            if level.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }
}
