//! Tests of which installation a program belongs to.

use std::fs;

use super::*;

#[test]
fn a_program_is_of_the_installation_whose_place_it_has() {
    let place = tempfile::tempdir().unwrap();
    let root = place.path().canonicalize().unwrap();
    let (system, user) = (
        Layout::system(&root.join("root")),
        Layout::user(&root.join("home")),
    );
    let layouts = || [system.clone(), user.clone()];
    let place_program = |path: &Path| {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "#!/bin/sh\n").unwrap();
    };
    let built = root.join("checkout/target/release/garmin-gateway");
    for path in [&system.program, &user.program, &built] {
        place_program(path);
    }
    let is_not_installed = |program: &Path| {
        let found = installation_of(program, layouts());
        matches!(found, Err(UpgradeError::NotInstalled(path)) if path == program)
    };
    assert!(is_not_installed(&built));
    assert!(
        is_not_installed(&user.program),
        "a copy without settings, as in a container"
    );
    fs::create_dir_all(&user.config).unwrap();
    assert_eq!(installation_of(&user.program, layouts()).unwrap(), user);
    fs::create_dir_all(&system.config).unwrap();
    assert_eq!(installation_of(&system.program, layouts()).unwrap(), system);
    assert!(is_not_installed(&built));
    let packaged = installation_of(Path::new("/usr/bin/garmin-gateway"), layouts());
    assert!(matches!(packaged, Err(UpgradeError::DebianPackage)));

    let own = check_user(&user, "garmin-gateway upgrade");
    assert!(own.is_ok(), "{own:?}");
    let is_root = nix::unistd::geteuid().is_root();
    match check_user(&system, "/usr/local/bin/garmin-gateway upgrade --yes") {
        Ok(()) => assert!(is_root),
        Err(error) => {
            let wanted = "this needs root: sudo /usr/local/bin/garmin-gateway upgrade --yes";
            assert!(!is_root && error.to_string() == wanted, "{error}");
        }
    }
}
