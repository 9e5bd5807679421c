//! In every order of events, the store ends up with the newest refresh token of the newest sign-in.

use std::os::unix::fs::{PermissionsExt, symlink};

use proptest::prelude::*;
use tokio::runtime::Runtime;
use tokio::sync::watch;

use super::*;
use crate::base::clock::Clock;
use crate::base::secrets::{RootSecret, Secret};
use crate::config::Live;
use crate::garmin::SignedIn;
use crate::store::Store;

fn tokens(refresh: &str) -> GarminTokens {
    GarminTokens {
        di_token: Secret::new(format!("access-{refresh}")),
        di_refresh_token: Some(Secret::new(refresh)),
        di_client_id: Some("X".into()),
    }
}

fn refresh_token(tokens: &GarminTokens) -> String {
    tokens.di_refresh_token.as_ref().unwrap().expose().to_owned()
}

/// A store, and a root for worker directories.
struct Ground {
    accounts: Accounts,
    directory: tempfile::TempDir,
}

fn ground() -> Ground {
    let directory = tempfile::tempdir().unwrap();
    let secret = RootSecret::new("an unguessable text of 32 letters").unwrap();
    let store = Store::open(&directory.path().join("db"), &secret).unwrap();
    let accounts = Accounts::new(store, Clock::system(), watch::channel(Live::default()).1);
    Ground { accounts, directory }
}

impl Ground {
    async fn link(&self, profile_id: u64, refresh: &str) -> AccountId {
        let signed_in = SignedIn {
            profile_id,
            display_name: String::new(),
            full_name: String::new(),
            tokens: tokens(refresh),
        };
        self.accounts.link("ann@example.org", signed_in).await.unwrap().id
    }

    fn held(&self, account: &AccountId) -> HeldTokens {
        self.accounts.tokens(account).unwrap().unwrap()
    }

    fn root(&self) -> &Path {
        self.directory.path()
    }
}

/// An event between the gateway, a worker and a person.
#[derive(Debug, Clone, Copy)]
enum Chance {
    /// The worker is started, after the gateway has read back what an earlier one left.
    Start,
    /// The worker uses its refresh token and gets a new one.
    Refresh,
    /// The worker writes its file in place, and the gateway reads it halfway through.
    SeenHalfWritten,
    /// The gateway notices the change.
    Notice,
    /// The worker exits and is cleaned up, whether it was reaped or it crashed.
    Stop,
    /// The gateway is killed while idle. The worker may refresh once more before it exits too.
    Killed { refreshes: bool },
    /// The gateway is killed after announcing a sealing in the receipt, and before doing it.
    KilledBeforeSealing { refreshes: bool },
    /// The gateway is killed after sealing, and before updating the receipt.
    KilledAfterSealing { refreshes: bool },
    /// The person signs in to Garmin again.
    Relink,
}

fn chance() -> impl Strategy<Value = Chance> {
    prop_oneof![
        4 => Just(Chance::Start),
        5 => Just(Chance::Refresh),
        1 => Just(Chance::SeenHalfWritten),
        3 => Just(Chance::Notice),
        2 => Just(Chance::Stop),
        1 => any::<bool>().prop_map(|refreshes| Chance::Killed { refreshes }),
        1 => any::<bool>().prop_map(|refreshes| Chance::KilledBeforeSealing { refreshes }),
        2 => any::<bool>().prop_map(|refreshes| Chance::KilledAfterSealing { refreshes }),
        1 => Just(Chance::Relink),
    ]
}

/// One account with its worker, and Garmin's record of valid tokens.
struct Play<'a> {
    ground: &'a Ground,
    account: AccountId,
    profile_id: u64,
    /// Garmin's side: the valid refresh token of every sign-in.
    good: Vec<String>,
    /// The worker's side: its directory, and the refresh token that it would use next.
    worker: Option<(Directory, String)>,
}

impl Play<'_> {
    async fn happen(&mut self, chance: Chance) {
        match chance {
            Chance::Start if self.worker.is_none() => self.start().await,
            Chance::Refresh => self.refresh(),
            Chance::SeenHalfWritten => self.half_written().await,
            Chance::Notice => {
                if let Some((directory, _)) = &mut self.worker {
                    directory.take_in(&self.ground.accounts).await.unwrap();
                }
            }
            Chance::Stop => {
                if let Some((mut directory, _)) = self.worker.take() {
                    directory.take_in(&self.ground.accounts).await.unwrap();
                    directory.wipe().unwrap();
                }
            }
            Chance::Killed { refreshes } => self.killed(refreshes),
            Chance::KilledBeforeSealing { refreshes } => {
                if let Some((directory, _)) = &mut self.worker {
                    directory.receipt.sealing = directory.read_tokens().map(|tokens| fingerprint(&tokens));
                    directory.write_receipt().unwrap();
                }
                self.killed(refreshes);
            }
            Chance::KilledAfterSealing { refreshes } => {
                if let Some((directory, _)) = &mut self.worker {
                    let mut before = directory.receipt.clone();
                    let sealed = directory.take_in(&self.ground.accounts).await.unwrap() == TakenIn::Sealed;
                    if sealed {
                        before.sealing = directory.sealed;
                        directory.receipt = before;
                        directory.write_receipt().unwrap();
                    }
                }
                self.killed(refreshes);
            }
            Chance::Relink => {
                let token = format!("s{}", self.good.len());
                self.ground.link(self.profile_id, &token).await;
                self.good.push(token);
            }
            Chance::Start => {}
        }
    }

    async fn start(&mut self) {
        let (root, accounts) = (self.ground.root(), &self.ground.accounts);
        if let Some(mut left) = Directory::find(root, &self.account) {
            left.take_in(accounts).await.unwrap();
            left.wipe().unwrap();
        }
        let held = self.ground.held(&self.account);
        let given = refresh_token(&held.tokens);
        assert!(
            self.good.contains(&given),
            "a spent token was handed out: {given}, good are {:?}",
            self.good
        );
        let directory = Directory::hand_out(root, &self.account, &held).unwrap();
        self.worker = Some((directory, given));
    }

    fn refresh(&mut self) {
        let Some((directory, token)) = &mut self.worker else {
            return;
        };
        let place = self
            .good
            .iter_mut()
            .find(|good| *good == token)
            .expect("a worker never has a spent token");
        *place = match token.rsplit_once('.') {
            Some((sign_in, n)) => format!("{sign_in}.{}", n.parse::<u32>().unwrap() + 1),
            None => format!("{token}.1"),
        };
        place.clone_into(token);
        replace(
            &directory.path.join(TOKEN_FILE),
            &serde_json::to_vec(&tokens(token)).unwrap(),
        )
        .unwrap();
    }

    async fn half_written(&mut self) {
        let Some((directory, _)) = &mut self.worker else {
            return;
        };
        let file = directory.path.join(TOKEN_FILE);
        let whole = fs::read(&file).unwrap();
        for length in [0, 1, whole.len() / 2, whole.len() - 1] {
            fs::write(&file, &whole[..length]).unwrap();
            assert_eq!(
                directory.take_in(&self.ground.accounts).await.unwrap(),
                TakenIn::Nothing
            );
        }
        fs::write(&file, whole).unwrap();
    }

    fn killed(&mut self, refreshes: bool) {
        if refreshes {
            self.refresh();
        }
        self.worker = None;
    }
}

#[test]
fn whatever_happens_the_newest_tokens_are_kept() {
    let (runtime, ground) = (Runtime::new().unwrap(), ground());
    let mut profile_id = 0;
    let config = ProptestConfig {
        cases: 96,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let mut runner = proptest::test_runner::TestRunner::new(config);
    let counted = std::cell::RefCell::new(&mut profile_id);
    runner
        .run(&proptest::collection::vec(chance(), 1..40), |chances| {
            let profile_id = {
                let mut counted = counted.borrow_mut();
                **counted += 1;
                **counted
            };
            runtime.block_on(async {
                let account = ground.link(profile_id, "s0").await;
                let mut play = Play {
                    ground: &ground,
                    account,
                    profile_id,
                    good: vec!["s0".into()],
                    worker: None,
                };
                for chance in chances {
                    play.happen(chance).await;
                }
                // The gateway is killed once more and restarted.
                play.worker = None;
                play.start().await;
                let held = refresh_token(&ground.held(&play.account).tokens);
                prop_assert_eq!(Some(&held), play.good.last(), "of {:?}", play.good);
                Ok(())
            })
        })
        .unwrap();
}

#[tokio::test]
async fn a_directory_is_private_and_leaves_nothing_behind() {
    let ground = ground();
    let account = ground.link(1, "s0").await;
    let directory = Directory::hand_out(ground.root(), &account, &ground.held(&account)).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(directory.path()), 0o700);
    assert_eq!(mode(&directory.path().join(TOKEN_FILE)), 0o600);
    assert_eq!(mode(&directory.receipt_path), 0o600);
    let receipt = fs::read_to_string(&directory.receipt_path).unwrap();
    assert!(!receipt.contains("s0"), "{receipt}");
    assert_eq!(Directory::all(ground.root()).unwrap(), [account]);
    directory.wipe().unwrap();
    assert!(Directory::all(ground.root()).unwrap().is_empty());
}

type Make<'a> = &'a dyn Fn(&Path);

/// The worker owns its directory, and can put anything there.
#[tokio::test]
async fn what_a_hostile_worker_leaves_is_neither_followed_nor_read() {
    let ground = ground();
    let account = ground.link(1, "s0").await;
    let outside = ground.root().join("outside.json");
    let foreign = serde_json::to_vec(&tokens("foreign")).unwrap();
    let long = vec![b' '; usize::try_from(LARGEST_TOKEN_FILE).unwrap() + 1];
    fs::write(&outside, &foreign).unwrap();
    let kinds: [(&str, Make<'_>); 6] = [
        ("a link", &|file| symlink(&outside, file).unwrap()),
        ("a pipe", &|file| {
            nix::unistd::mkfifo(file, nix::sys::stat::Mode::S_IRWXU).unwrap();
        }),
        ("a directory", &|file| fs::create_dir(file).unwrap()),
        ("nothing", &|_| {}),
        ("no tokens", &|file| {
            fs::write(file, r#"{"di_token":null}"#).unwrap();
        }),
        ("a long file", &|file| {
            fs::write(file, [long.as_slice(), &foreign].concat()).unwrap();
        }),
    ];
    for (kind, make) in kinds {
        let mut directory = Directory::hand_out(ground.root(), &account, &ground.held(&account)).unwrap();
        let file = directory.path().join(TOKEN_FILE);
        fs::remove_file(&file).unwrap();
        make(&file);
        symlink("/", directory.path().join("root")).unwrap();
        symlink(ground.root(), directory.path().join("up")).unwrap();
        assert_eq!(
            directory.take_in(&ground.accounts).await.unwrap(),
            TakenIn::Nothing,
            "{kind}"
        );
        directory.wipe().unwrap();
        assert!(outside.exists(), "{kind}");
    }
    // The whole directory is replaced by a link.
    let directory = Directory::hand_out(ground.root(), &account, &ground.held(&account)).unwrap();
    fs::remove_dir_all(directory.path()).unwrap();
    symlink(ground.root(), directory.path()).unwrap();
    directory.wipe().unwrap();
    assert!(outside.exists());
    assert_eq!(ground.held(&account).generation, 1, "nothing was sealed");
}

#[tokio::test]
async fn a_forgotten_account_keeps_no_tokens() {
    let ground = ground();
    let account = ground.link(1, "s0").await;
    let mut directory = Directory::hand_out(ground.root(), &account, &ground.held(&account)).unwrap();
    replace(
        &directory.path().join(TOKEN_FILE),
        &serde_json::to_vec(&tokens("s0.1")).unwrap(),
    )
    .unwrap();
    ground.accounts.forget(&account).await.unwrap();
    assert_eq!(
        directory.take_in(&ground.accounts).await.unwrap(),
        TakenIn::Outdated
    );
    assert!(ground.accounts.tokens(&account).unwrap().is_none());
}
