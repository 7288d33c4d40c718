//! Whatever dies, and whatever fails, no task is lost: see `trial`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    missing_docs,
    reason = "a test says loudly what is wrong"
)]

#[cfg(target_arch = "x86_64")]
#[path = "../it/support/model_server.rs"]
#[allow(dead_code, unreachable_pub, reason = "the stories use more of it")]
mod model_server;
#[cfg(target_arch = "x86_64")]
mod power;
#[cfg(target_arch = "x86_64")]
mod retire;
#[cfg(target_arch = "x86_64")]
mod tracer;
#[cfg(target_arch = "x86_64")]
mod trial;

#[cfg(target_arch = "x86_64")]
fn main() -> std::process::ExitCode {
    if tracer::may_trace() {
        return trial::run();
    }
    println!("torture: skipped, this system does not let a program trace another (ptrace)");
    std::process::ExitCode::SUCCESS
}

#[cfg(not(target_arch = "x86_64"))]
fn main() {
    println!("torture: skipped, its tracer knows the registers of x86_64 alone");
}
