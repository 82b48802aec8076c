use std::io;
use std::path::PathBuf;

/// Whose groups may read secrets, besides root: the daemon's usual ones.
const DAEMON_GROUP: &str = "ntp";

/// Where and when keys are made.
#[derive(Clone, Debug)]
pub struct Place {
    /// This machine's name.
    pub host: String,
    /// Now, seconds of Unix.
    pub now_unix_s: i64,
    /// The folder, unless the options name one.
    pub folder: PathBuf,
    /// The group that may read secrets.
    pub group: Option<u32>,
}

impl Place {
    /// Here and now.
    ///
    /// # Errors
    /// That this machine has no name, or the folder is not to be had.
    pub fn here() -> io::Result<Self> {
        let host = nix::unistd::gethostname()?.to_string_lossy().into_owned();
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        let now = now.map_err(|_| io::Error::other("the clock is before 1970"))?;
        let root = nix::unistd::geteuid().is_root();
        let group = root.then(|| nix::unistd::Group::from_name(DAEMON_GROUP).ok().flatten());
        Ok(Self {
            host,
            now_unix_s: i64::try_from(now.as_secs()).unwrap_or(i64::MAX),
            folder: std::env::current_dir()?,
            group: group.flatten().map(|group| group.gid.as_raw()),
        })
    }
}
