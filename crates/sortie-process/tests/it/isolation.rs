//! A command sees what it was given and nothing of the launcher's; the launcher's other children are
//! left alone.

use std::ffi::OsString;
use std::fs::File;
use std::os::unix::ffi::OsStringExt;
use std::time::Duration;

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use sortie_process::Status;

use crate::Stage;

#[tokio::test]
async fn arguments_variables_and_directory_arrive_byte_for_byte() {
    let stage = Stage::new();
    let odd = OsString::from_vec(b" $(touch pwned)`\"'\\\n\t*\xff\xfe; ".to_vec());
    let cwd = stage.dir.path().join(&odd);
    std::fs::create_dir(&cwd).unwrap();
    let mut command = stage.sh("printf '%s|' \"$1\" \"$ODD\"; pwd");
    command.args.extend(["sh".into(), odd.clone()]);
    command.env = command.env.iter().cloned().chain([("ODD".into(), odd.clone())]).collect();
    command.cwd.clone_from(&cwd);
    assert_eq!(stage.run(&command).await.status, Status::Exited(0));
    let mut expected = odd.clone().into_vec();
    expected.push(b'|');
    expected.extend(odd.into_vec());
    expected.push(b'|');
    expected.extend(cwd.into_os_string().into_vec());
    expected.push(b'\n');
    assert_eq!(std::fs::read(stage.path("out")).unwrap(), expected);
}

#[tokio::test]
async fn the_environment_is_the_commands_alone() {
    let stage = Stage::new();
    let mut command = stage.sh("");
    command.program = "/usr/bin/env".into();
    command.args.clear();
    stage.run(&command).await;
    let expected = format!("PATH=/usr/bin:/bin\n{}={}\n", crate::MARK, stage.mark());
    assert_eq!(stage.read("out"), expected);
}

#[tokio::test]
async fn it_is_bound_to_its_cpus_and_without_any_to_the_launchers() {
    const BOUND_TO: &str = "sed -n 's/^Cpus_allowed_list:\t//p' /proc/self/status";
    let stage = Stage::new();
    let mut command = stage.sh(BOUND_TO);
    stage.run(&command).await;
    let allowed = stage.read("out");
    let here = std::fs::read_to_string("/proc/thread-self/status").unwrap();
    assert!(here.contains(&format!("Cpus_allowed_list:\t{allowed}")), "{allowed}");

    let first = allowed.split(['-', ',', '\n']).next().unwrap();
    command.cpus = vec![first.parse().unwrap()];
    stage.run(&command).await;
    assert_eq!(stage.read("out"), format!("{allowed}{first}\n"));
    // The next one that the same helper process keeps is not.
    command.cpus.clear();
    stage.run(&command).await;
    assert_eq!(stage.read("out"), format!("{allowed}{first}\n{allowed}"));
}

#[tokio::test]
async fn open_files_signals_and_sessions_do_not_leak() {
    let stage = Stage::new();
    // Open in this process, and even inherited by the children it makes itself.
    let leaky = File::open("/dev/zero").unwrap();
    clear_close_on_exec(&leaky);
    let script = "ls -l /proc/self/fd | sed -n 's/.* \\([0-9]* -> .*\\)/\\1/p'; \
                  grep -E '^Sig(Blk|Ign)' /proc/self/status; \
                  set -- $(cut -d' ' -f 1,5,6 /proc/$$/stat); \
                  [ $1 = $2 ] && [ $1 = $3 ] && [ $1 = $$ ] && echo leads its session";
    assert_eq!(stage.run(&stage.sh(script)).await.status, Status::Exited(0));
    let out = stage.read("out");
    let files = [
        "0 -> /dev/null".to_owned(),
        "1 -> pipe:".to_owned(),
        format!("2 -> {}", stage.path("err").display()),
        "3 -> /proc/".to_owned(),
    ];
    let mut lines = out.lines();
    for file in &files {
        let line = lines.next().unwrap();
        assert!(line.starts_with(file.as_str()), "{line:?} is not {file:?} in\n{out}");
    }
    let rest: Vec<_> = lines.collect();
    let zero = "0000000000000000";
    assert_eq!(
        rest,
        [format!("SigBlk:\t{zero}"), format!("SigIgn:\t{zero}"), "leads its session".into()]
    );
}

/// As a library that does not care for such things would leave it.
fn clear_close_on_exec(fd: &File) {
    use nix::fcntl::{FcntlArg, FdFlag, fcntl};
    fcntl(fd, FcntlArg::F_SETFD(FdFlag::empty())).unwrap();
}

#[tokio::test]
async fn the_launchers_other_children_are_its_own() {
    let stage = Stage::new();
    #[expect(clippy::disallowed_methods, reason = "a child of the host program, not of the crate")]
    let mut child = std::process::Command::new("sh")
        .args(["-c", "sleep 1; exit 9"])
        .stdin(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let mut command = stage.sh("trap '' TERM; setsid sleep 600 & sleep 600");
    command.limits.time = Some(Duration::from_millis(50));
    command.limits.grace = Duration::from_millis(50);
    stage.run(&command).await;
    drop(stage);
    assert_eq!(child.wait().unwrap().code(), Some(9));
}

#[tokio::test]
async fn a_command_has_the_launchers_limit_of_files_as_it_was_and_leaves_no_core() {
    const NAME: &str =
        "isolation::a_command_has_the_launchers_limit_of_files_as_it_was_and_leaves_no_core";
    if !crate::is_alone(NAME) {
        return;
    }
    let (_, most) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    setrlimit(Resource::RLIMIT_NOFILE, 250, most).unwrap();
    setrlimit(Resource::RLIMIT_CORE, 4096, 8192).unwrap();
    let limits = "ulimit -Sn; ulimit -Hn; ulimit -Sc; ulimit -Hc";
    let expected = format!("250\n{most}\n0\n");

    // A launcher that leaves its limit as it is, and one that raises it.
    for _ in 0..2 {
        let stage = Stage::new();
        stage.run(&stage.sh(limits)).await;
        let said = stage.read("out");
        assert!(said.starts_with(&expected), "{said}");
        assert_ne!(said.lines().last(), Some("0"), "it may be raised again");
        sortie_process::OpenFiles::raise_limit().unwrap();
        assert_eq!(sortie_process::OpenFiles::now().unwrap().limit, most);
    }
}
