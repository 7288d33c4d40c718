//! A model server without a model, for trying koubou out where there is none.
//!
//! ```text
//! cargo run --example model_server -- [--port 1234] [--answer TEXT]
//! ```
//!
//! It listens on 127.0.0.1 as LM Studio would, and answers every request by
//! saying that it is a stand-in. `--port 0` takes a free port.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "it is a program of its own")]

use std::process::ExitCode;

#[path = "../tests/it/support/model_server.rs"]
#[allow(dead_code, reason = "the tests use more of it")]
mod model_server;

use model_server::ModelServer;

const USAGE: &str = "usage: model_server [--port N] [--answer TEXT]";

fn main() -> ExitCode {
    let (port, answer) = match arguments(std::env::args().skip(1)) {
        Ok(arguments) => arguments,
        Err(complaint) => {
            eprintln!("error: {complaint}\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    match ModelServer::on(port, answer) {
        Ok(server) => {
            println!("This is a stand-in and no model: it repeats what it is asked.");
            println!("listening on {}", server.endpoint());
            server.serve();
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: cannot listen on port {port}: {error}");
            ExitCode::FAILURE
        }
    }
}

fn arguments(mut words: impl Iterator<Item = String>) -> Result<(u16, Option<String>), String> {
    let (mut port, mut answer) = (1234, None);
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or(format!("`{word}` needs a value"));
        match word.as_str() {
            "--port" => {
                port =
                    value()?.parse().map_err(|_| "`--port` is a number up to 65535".to_owned())?;
            }
            "--answer" => answer = Some(value()?),
            _ => return Err(format!("unknown argument `{word}`")),
        }
    }
    Ok((port, answer))
}
