//! Creates the Unix socket. Nobody can connect before its mode is set.

use std::os::fd::AsRawFd;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener as StdListener;
use std::path::{Path, PathBuf};

use nix::sys::socket::{AddressFamily, Backlog, SockFlag, SockType, UnixAddr, bind, listen, socket};
use tokio::net::UnixListener;

/// The file name of the socket in the runtime directory.
pub const NAME: &str = "admin.sock";

/// The longest path in bytes: `sun_path` of unix(7) without its terminating zero.
const LONGEST: usize = 107;

/// Why the socket can't be created.
#[derive(Debug, thiserror::Error)]
pub enum SocketError {
    #[error("another garmin-gateway uses {path}; stop it first", path = .0.display())]
    InUse(PathBuf),
    #[error("the socket's path {path} is longer than {LONGEST} bytes; set RUNTIME_DIR to a shorter directory", path = .0.display())]
    TooLong(PathBuf),
    #[error("{path} can't be created: {reason}", path = .path.display())]
    Refused { path: PathBuf, reason: String },
}

/// Creates the socket at `path`: binds, sets mode 0660, then listens. Replaces a stale socket.
pub(super) fn listen_at(path: &Path) -> Result<UnixListener, SocketError> {
    let refused = |e: &dyn std::fmt::Display| SocketError::Refused {
        path: path.to_owned(),
        reason: e.to_string(),
    };
    if path.as_os_str().len() > LONGEST {
        return Err(SocketError::TooLong(path.to_owned()));
    }
    if path.exists() {
        if std::os::unix::net::UnixStream::connect(path).is_ok() {
            return Err(SocketError::InUse(path.to_owned()));
        }
        std::fs::remove_file(path).map_err(|e| refused(&e))?;
    }
    let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
    let fd = socket(AddressFamily::Unix, SockType::Stream, flags, None).map_err(|e| refused(&e))?;
    let address = UnixAddr::new(path).map_err(|e| refused(&e))?;
    bind(fd.as_raw_fd(), &address).map_err(|e| refused(&e))?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o660)).map_err(|e| refused(&e))?;
    let backlog = Backlog::new(64).map_err(|e| refused(&e))?;
    listen(&fd, backlog).map_err(|e| refused(&e))?;
    UnixListener::from_std(StdListener::from(fd)).map_err(|e| refused(&e))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_stale_socket_is_told_from_a_live_one() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(NAME);
        let live = listen_at(&path).unwrap();
        assert_eq!(
            std::fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o660
        );
        assert!(matches!(listen_at(&path), Err(SocketError::InUse(_))));
        drop(live);
        assert!(path.exists());
        listen_at(&path).unwrap();
    }

    #[tokio::test]
    async fn the_longest_name_is_taken_and_a_longer_one_explained() {
        let dir = tempfile::tempdir().unwrap();
        let room = LONGEST - dir.path().as_os_str().len() - 1;
        listen_at(&dir.path().join("x".repeat(room))).unwrap();
        let refused = listen_at(&dir.path().join("x".repeat(room + 1))).unwrap_err();
        assert!(
            refused
                .to_string()
                .contains("set RUNTIME_DIR to a shorter directory"),
            "{refused}"
        );
    }
}
