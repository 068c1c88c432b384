//! The transport against a real sshd on this machine.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "helpers of tests stand outside test functions"
)]

mod http;
mod keys;
mod logins;
mod programs;
mod sshd;
mod tunnels;

use citusctl::transport::{
    Collected, Endpoint, Exit, Program, Resolver, Transport, TransportError, connect,
};

/// The error that a connection ends with.
pub(crate) async fn refused(endpoint: &Endpoint, resolver: &Resolver) -> TransportError {
    match connect(endpoint, resolver).await {
        Ok(_) => panic!("it connects"),
        Err(error) => {
            assert!(error.to_string().starts_with("db-1: "), "{error}");
            error
        }
    }
}

/// Runs a program and gives its end and output.
pub(crate) async fn sh(via: &dyn Transport, text: &str) -> (Exit, Collected) {
    let mut collected = Collected::default();
    let exit = via.run(&Program::new(text), &mut collected).await;
    (exit.expect("the program runs"), collected)
}
