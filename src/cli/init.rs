//! `koubou init`: makes a home, or what is missing of one.

use super::{Done, Exit, Site, Ui};
use crate::base::words::Count;

/// Make the home; what is there is never overwritten
#[derive(clap::Args, Debug)]
pub(super) struct Args {}

pub(super) fn run(ui: &mut Ui, site: &Site, _args: &Args) -> Done {
    site.home.check_format()?;
    let made = site.home.init()?;
    let path = site.home.path().display();
    if made.is_empty() {
        ui.say(&format!("`{path}` is a home already; nothing was missing"));
        return Ok(Exit::Done);
    }
    ui.say(&format!("made `{path}`: {}", Count(made.len() as u64, "entry")));
    ui.say(&format!(
        "next: {}, then drop a task: {}",
        site.call("start"),
        site.call("submit --worker echo -d hello")
    ));
    ui.say(&format!("settings: {}", site.home.config_file().display()));
    ui.say(&format!("keys: {}", site.home.env_file().display()));
    Ok(Exit::Done)
}
