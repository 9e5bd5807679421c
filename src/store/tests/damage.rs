//! Tests that lost data is always reported at the next start.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use jiff::Timestamp;

use super::*;

fn path(dir: &Path) -> PathBuf {
    dir.join("db")
}

async fn filled(dir: &Path) {
    let store = open(dir).unwrap();
    for n in 0..40_u32 {
        store.put(&n.to_be_bytes(), note(&"x".repeat(500))).await.unwrap();
    }
}

/// Opens the store, and returns the damage that was found.
fn found(dir: &Path) -> Option<String> {
    drop(open(dir).unwrap());
    damage(&path(dir))
}

fn tamper(dir: &Path, act: impl FnOnce(&sled::Tree)) {
    let store = open(dir).unwrap();
    let opened = store.core.opened().unwrap();
    act(&opened.tree);
    opened.durable().unwrap();
}

fn key(n: u32) -> Vec<u8> {
    full_key(Note::TABLE, &n.to_be_bytes())
}

#[tokio::test]
async fn a_whole_store_is_not_reported() {
    let dir = tempfile::tempdir().unwrap();
    filled(dir.path()).await;
    assert_eq!(found(dir.path()), None);
    // A store of an older version has no census.
    tamper(dir.path(), |tree| drop(tree.remove(census::KEY).unwrap()));
    fs::remove_file(path(dir.path()).join("witness")).unwrap();
    assert_eq!(found(dir.path()), None);
    // The witness is not synced, so a power cut can leave it empty or damaged.
    for text in ["", "0000", "\0\0\0\0", "00000000000000000000\n"] {
        fs::write(path(dir.path()).join("witness"), text).unwrap();
        assert_eq!(found(dir.path()), None, "{text:?}");
    }
    let store = open(dir.path()).unwrap();
    store.compact().await.unwrap();
    store.remove::<Note>(&3_u32.to_be_bytes()).await.unwrap();
    store.put(&4_u32.to_be_bytes(), note("another")).await.unwrap();
    drop(store);
    assert_eq!(found(dir.path()), None);
}

#[tokio::test]
async fn records_that_went_missing_or_changed_are_reported_with_the_advice() {
    for (act, told) in [
        (
            (|tree| drop(tree.remove(key(7)).unwrap())) as fn(&sled::Tree),
            "39 of 40 records",
        ),
        (
            |tree| drop(tree.insert(key(99), b"x").unwrap()),
            "41 of 40 records",
        ),
        (
            |tree| drop(tree.insert(key(7), b"x").unwrap()),
            "not the ones that were written",
        ),
        (|tree| drop(tree.insert(census::KEY, b"x").unwrap()), "census"),
        (|tree| drop(tree.remove(census::KEY).unwrap()), "census"),
    ] {
        let dir = tempfile::tempdir().unwrap();
        filled(dir.path()).await;
        tamper(dir.path(), act);
        let damage = found(dir.path()).unwrap();
        assert!(
            damage.contains(told) && damage.contains("restore FILE --replace"),
            "{damage}"
        );
        // The report stays until a backup is restored, and the same damage is not found again.
        fs::write(dir.path().join("db.damaged"), "first").unwrap();
        assert_eq!(found(dir.path()).as_deref(), Some("first"));
    }
}

#[tokio::test]
async fn an_older_state_of_the_whole_database_is_reported() {
    let dir = tempfile::tempdir().unwrap();
    filled(dir.path()).await;
    fallback::ask(&path(dir.path())).unwrap();
    let store = open(dir.path()).unwrap();
    for n in 0..3_u32 {
        store.remove::<Note>(&n.to_be_bytes()).await.unwrap();
    }
    drop(store);
    let witness = fs::read(path(dir.path()).join("witness")).unwrap();
    fallback::go_back(&path(dir.path())).unwrap();
    assert_eq!(
        found(dir.path()),
        None,
        "a copy that the installer brings back is whole"
    );
    fs::write(path(dir.path()).join("witness"), witness).unwrap();
    assert!(
        found(dir.path())
            .unwrap()
            .contains("the last 3 acknowledged writes")
    );
}

/// Lost records are reported wherever sled's file is truncated or overwritten.
#[tokio::test]
async fn a_file_that_was_cut_or_overwritten_never_opens_without_a_word() {
    let whole = tempfile::tempdir().unwrap();
    filled(whole.path()).await;
    let file = fs::read(path(whole.path()).join("db")).unwrap();
    let used = file.iter().rposition(|byte| *byte != 0).unwrap();
    for part in 0..10 {
        for is_cut in [true, false] {
            let dir = tempfile::tempdir().unwrap();
            fs::create_dir(path(dir.path())).unwrap();
            for entry in fs::read_dir(path(whole.path())).unwrap().map(Result::unwrap) {
                if entry.file_type().unwrap().is_file() {
                    fs::copy(entry.path(), path(dir.path()).join(entry.file_name())).unwrap();
                }
            }
            let mut bytes = file.clone();
            let at = used * part / 10;
            if is_cut {
                bytes.truncate(at);
            } else {
                bytes[at..used]
                    .iter_mut()
                    .take(4096)
                    .for_each(|byte| *byte ^= 0x5a);
            }
            fs::write(path(dir.path()).join("db"), bytes).unwrap();
            let told = match open(dir.path()) {
                Ok(store) => {
                    let all = store.list::<Note>(b"");
                    let is_whole =
                        all.is_ok_and(|all| all.len() == 40 && all[39].1 == note(&"x".repeat(500)));
                    damage(&path(dir.path())).or(is_whole.then(|| "nothing is lost; restore FILE".to_owned()))
                }
                Err(e) => Some(e.to_string()),
            };
            let told = told.unwrap_or_else(|| panic!("silent, cut: {is_cut}, at {part}/10"));
            assert!(
                told.contains("restore FILE"),
                "cut: {is_cut}, at {part}/10: {told}"
            );
        }
    }
}

#[tokio::test]
async fn a_restored_backup_ends_the_report() {
    let dir = tempfile::tempdir().unwrap();
    filled(dir.path()).await;
    let store = open(dir.path()).unwrap();
    let pieces = store.backup(Timestamp::UNIX_EPOCH).unwrap();
    let bytes = pieces.collect::<Result<Vec<_>, _>>().unwrap().concat();
    drop(store);
    tamper(dir.path(), |tree| drop(tree.remove(key(7)).unwrap()));
    assert!(found(dir.path()).is_some());
    let secret = RootSecret::new("an unguessable text of 32 letters").unwrap();
    let archive = Archive::open(&bytes[..], &secret).unwrap();
    let old = Some(dir.path().join("old"));
    let kinds = [Kind::of::<Note>()];
    Store::restore(&path(dir.path()), archive, &secret, old, &kinds, &mut |_| {}).unwrap();
    for entry in fs::read_dir(path(dir.path())).unwrap().map(Result::unwrap) {
        let mode = entry.metadata().unwrap().permissions().mode() & 0o777;
        let wanted = if entry.file_type().unwrap().is_dir() {
            0o700
        } else {
            0o600
        };
        assert_eq!(mode, wanted, "{:?}", entry.path());
    }
    assert_eq!(found(dir.path()), None);
    assert_eq!(open(dir.path()).unwrap().list::<Note>(b"").unwrap().len(), 40);
}

#[tokio::test]
async fn a_probe_tells_whether_a_write_would_be_kept() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).unwrap();
    store.probe().await.unwrap();
    // A directory in place of the probe's file makes the probe's write fail.
    let obstacle = path(dir.path()).join("probe");
    fs::create_dir(&obstacle).unwrap();
    assert!(matches!(store.probe().await, Err(StoreError::NotWritten(_))));
    assert!(matches!(&*store.health().borrow(), Health::Degraded(_)));
    assert!(store.put(b"a", note("lost")).await.is_err());
    fs::remove_dir(&obstacle).unwrap();
    let mut health = store.health();
    health
        .wait_for(|health| *health == Health::Writing)
        .await
        .unwrap();
    store.probe().await.unwrap();
    store.put(b"a", note("kept")).await.unwrap();
    drop((store, health));
    assert_eq!(found(dir.path()), None);
}

/// Writes that keep coming are refused, but do not keep the store from being opened again.
#[tokio::test]
async fn a_store_recovers_while_writes_keep_coming() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).unwrap();
    let obstacle = path(dir.path()).join("probe");
    fs::create_dir(&obstacle).unwrap();
    assert!(store.probe().await.is_err());
    fs::remove_dir(&obstacle).unwrap();
    let again = async {
        while store.put(b"a", note("again")).await.is_err() {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    let recovered = tokio::time::timeout(std::time::Duration::from_secs(60), again).await;
    assert!(recovered.is_ok());
}
