//! `imgbuild init`: a first profile, from flags and from answers on a terminal.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use imgbuild::profile::Loaded;
use insta::assert_snapshot;

use crate::support::Project;

/// A folder with keys and certificates, and no secrets yet.
fn project() -> Project {
    let project = Project::new();
    fs::remove_file(project.path("secrets.yaml")).unwrap();
    for (name, content) in [
        ("given/psk", "canary-passphrase\n"),
        ("given/password", "canary-password\n"),
        ("given/key", "Y2FuYXJ5LWtleQ==\n"),
        ("given/me.pub", "ssh-ed25519 AAAAC3Nz me\n"),
    ] {
        project.write(name, content);
    }
    project
}

/// Calls `imgbuild init` with flags and returns what is seen.
fn init(project: &Project, flags: &str) -> String {
    let flags: Vec<&str> = flags.split_whitespace().collect();
    project.imgbuild(&[&["init", "greenhouse-01.yaml"], &flags[..]].concat())
}

fn read(project: &Project, name: &str) -> String {
    fs::read_to_string(project.path(name)).unwrap()
}

fn mode(project: &Project, name: &str) -> u32 {
    fs::metadata(project.path(name)).unwrap().permissions().mode() & 0o777
}

/// Which files there are beside those that the project began with.
fn made(project: &Project) -> Vec<String> {
    let mut names = project.left_over();
    names.retain(|name| name != "given");
    names.extend(project.path("secrets.yaml").exists().then(|| "secrets.yaml".to_owned()));
    names
}

/// The profile from these flags is right in the eyes of `imgbuild check`, and no secret is where it is seen.
fn right(flags: &str) -> (Project, String) {
    let project = project();
    let seen = init(&project, flags);
    assert!(seen.starts_with("exit: 0\n"), "{seen}");
    let checked = project.imgbuild(&["check", "greenhouse-01.yaml"]);
    assert_eq!(checked, "exit: 0\ngreenhouse-01.yaml: nothing wrong\n");
    let profile = read(&project, "greenhouse-01.yaml");
    for secret in ["canary", "Y2FuYXJ5"] {
        assert!(!seen.contains(secret) && !profile.contains(secret), "{seen}{profile}");
    }
    if project.path("secrets.yaml").exists() {
        assert_eq!(mode(&project, "secrets.yaml"), 0o600);
    }
    (project, seen)
}

const SMALLEST: &str =
    "--model pi-3 --cloud mqtt --set host=broker.lan --set ca=ca.pem --sensor tmp102";

#[test]
fn flags_for_a_broker_make_a_profile_and_its_secrets() {
    let (project, seen) = right(
        "--model pi-3 --wifi-country NL --wifi-ssid Home --wifi-psk-file given/psk \
         --user pi --ssh-key given/me.pub --password-file given/password \
         --cloud mqtt --set host=broker.lan --set port=8884 --set ca=ca.pem --set certificate=device.pem \
         --set private_key=device.key --set username=greenhouse --set-file password=given/key \
         --sensor tmp102 --sensor cpu-temperature",
    );
    assert_snapshot!("init_mqtt", format!("{seen}\n{}", read(&project, "greenhouse-01.yaml")));
    assert_snapshot!(read(&project, "secrets.yaml"), @r"
    greenhouse-01.login: canary-password
    greenhouse-01.mqtt: Y2FuYXJ5LWtleQ==
    greenhouse-01.wifi: canary-passphrase
    ");
    assert_ne!(mode(&project, "greenhouse-01.yaml") & 0o044, 0, "the profile is no secret");
}

#[test]
fn flags_for_aws_make_a_profile() {
    let (project, _) = right(
        "--model pi-4 --cloud aws-iot --set endpoint=a1-ats.iot.eu-west-1.amazonaws.com \
         --set certificate=device.pem --set private_key=device.key --sensor bme680",
    );
    assert_snapshot!("init_aws", read(&project, "greenhouse-01.yaml"));
    assert_eq!(made(&project), ["greenhouse-01.yaml"], "there is no secret in it");
}

#[test]
fn flags_for_azure_make_a_profile() {
    let (project, _) = right(
        "--model pi-zero-2-w --base raspios-lite-arm64 --cloud azure-iot-hub --set hub=a.azure-devices.net \
         --set-file key=given/key --sensor sense-hat",
    );
    assert_snapshot!("init_azure", read(&project, "greenhouse-01.yaml"));
    right(
        "--model pi-zero-w --cloud azure-iot-hub --set id_scope=0ne00000000 --set certificate=device.pem \
         --set private_key=device.key --sensor cpu-temperature",
    );
    right(
        "--model pi-5 --cloud azure-event-hubs --set namespace=a.servicebus.windows.net --set hub=readings \
         --set policy=send --set-file key=given/key --sensor cpu-temperature",
    );
}

#[test]
fn flags_for_google_make_a_profile() {
    right(
        "--model pi-5 --cloud google-iot-core --set project=greenhouses --set region=europe-west1 \
         --set registry=sensors --set private_key=device.key --sensor cpu-temperature",
    );
    let project = project();
    project.write(
        "account.json",
        "{\"client_email\": \"a\", \"private_key\": \"b\", \"private_key_id\": \"c\"}",
    );
    let flags = "--model pi-5 --cloud google-pubsub --set project=greenhouses --set topic=readings \
         --set service_account=account.json --sensor cpu-temperature";
    assert!(init(&project, flags).starts_with("exit: 0\n"));
    assert!(project.imgbuild(&["check", "greenhouse-01.yaml"]).contains("nothing wrong"));
}

#[test]
fn any_name_and_any_secret_arrive_as_they_are() {
    let odd = [
        "it's a \"quoted\" one",
        "back\\slash\\n",
        "# no comment",
        "key: value: #",
        "!secret psk",
        "🌱 garden",
        "{{ device.id }} {%",
        " - spaces ",
        "0123456789",
        "null, [a, b]",
    ];
    for (number, ssid) in odd.iter().enumerate() {
        let project = project();
        let name = format!("odd-{number}.yaml");
        // a passphrase is ASCII, a password is not
        let passphrase = format!("{:<8}", ssid.replace('🌱', "%"));
        project.write("given/psk", &format!("{passphrase}\n"));
        project.write("given/password", &format!("{ssid}\r\n"));
        let flags =
            "--wifi-country NL --wifi-psk-file given/psk --user pi --password-file given/password";
        let flags: Vec<&str> =
            [flags, SMALLEST].iter().flat_map(|it| it.split_whitespace()).collect();
        let seen = project.imgbuild(&[&["init", &name, "--wifi-ssid", ssid], &flags[..]].concat());
        assert!(seen.starts_with("exit: 0\n"), "{seen}");
        let spec = Loaded::read(&project.path(&name)).unwrap().spec;
        let network = &spec.wifi.unwrap().networks[0];
        assert_eq!(network.ssid.as_str(), *ssid);
        assert_eq!(network.passphrase.as_ref().unwrap().expose(), passphrase);
        assert_eq!(spec.access.unwrap().password.unwrap().expose(), *ssid);
    }
}

#[test]
fn a_profile_that_is_there_is_never_written_over() {
    let project = project();
    project.write("greenhouse-01.yaml", "mine\n");
    assert_snapshot!(init(&project, SMALLEST), @r"
    exit: 2
    error: greenhouse-01.yaml is there already; give the new profile another name
    ");
    assert_eq!(read(&project, "greenhouse-01.yaml"), "mine\n");
    fs::remove_file(project.path("greenhouse-01.yaml")).unwrap();
    // a link that leads nowhere is somebody's too
    std::os::unix::fs::symlink("elsewhere", project.path("greenhouse-01.yaml")).unwrap();
    assert!(init(&project, SMALLEST).starts_with("exit: 2\n"));
    assert!(!project.path("elsewhere").exists());
}

/// What is said about flags from which no profile can be made; nothing is written then.
fn refusal(flags: &str) -> String {
    let project = project();
    let seen = init(&project, flags);
    assert_eq!(made(&project), Vec::<String>::new(), "{seen}");
    assert!(!seen.contains("canary"), "{seen}");
    seen
}

#[test]
fn without_a_terminal_what_is_missing_is_named_by_its_flag() {
    for (flags, flag) in [
        ("", "--model"),
        ("--model pi-3", "--cloud"),
        ("--model pi-3 --cloud mqtt", "--set host=…"),
        ("--model pi-3 --cloud mqtt --set host=a.example.org", "--sensor"),
        ("--model pi-3 --wifi-ssid Home", "--wifi-country"),
        ("--model pi-3 --wifi-ssid Home --wifi-country NL", "--wifi-psk-file"),
        ("--model pi-3 --ssh-key given/me.pub", "--user"),
        ("--model pi-3 --cloud aws-iot --set endpoint=a", "--set certificate=…"),
        ("--model pi-3 --cloud azure-iot-hub --set hub=a.azure-devices.net", "--set-file key=FILE"),
    ] {
        let seen = refusal(flags);
        assert!(seen.starts_with(&format!("exit: 2\nerror: {flag} is missing (")), "{seen}");
        assert_eq!(seen.lines().count(), 2, "{seen}");
    }
}

#[test]
fn a_wrong_flag_is_told_with_the_reason() {
    let refused = [
        SMALLEST.replace("broker.lan", "mqtts://broker.lan"),
        SMALLEST.replace("ca=ca.pem", "ca=device.key"),
        SMALLEST.replace("pi-3", "pi-zero-w --base debian-trixie-arm64"),
        SMALLEST.replace("--set ca", "--set cs"),
        SMALLEST.replace("--set ca", "--set tls=false --set ca"),
        format!("{SMALLEST} --set username=a --set password=b"),
        format!("{SMALLEST} --set-file username=given/key"),
        format!("{SMALLEST} --wifi-ssid Home --wifi-country nl --wifi-psk-file given/psk"),
        format!("{SMALLEST} --wifi-ssid Home --wifi-country NL --wifi-psk-file given/absent"),
        format!("{SMALLEST} --wifi-psk-file - --password-file -"),
        format!("{SMALLEST} --user pi --ssh-key device.key"),
        format!("{SMALLEST} --user root --password-file given/password"),
        format!("{SMALLEST} --user pi"),
        "--id ab --model pi-3 --cloud google-iot-core --set project=a --set region=b --set registry=c --set private_key=d".into(),
    ];
    let seen: Vec<String> = refused.iter().map(|flags| refusal(flags)).collect();
    assert_snapshot!("init_refusals", seen.concat());
}

#[test]
fn a_file_that_is_not_there_yet_is_asked_for_afterwards() {
    let project = project();
    let seen = init(&project, &SMALLEST.replace("ca.pem", "certs/ca.pem"));
    assert_snapshot!(seen, @r"
    exit: 0
    greenhouse-01.yaml is written
    next: put a file at certs/ca.pem, which is not there yet
    next: imgbuild check greenhouse-01.yaml
    next: imgbuild greenhouse-01.yaml
    ");
}

const WITH_SECRET: &str = "--wifi-ssid Home --wifi-country NL --wifi-psk-file given/psk";

#[test]
fn secrets_that_are_there_are_kept_and_added_to() {
    let project = project();
    project.write("secrets.yaml", "# mine\nwifi: {home: \"a: b\"}");
    project.mode("secrets.yaml", 0o600);
    let seen = init(&project, &format!("{SMALLEST} {WITH_SECRET}"));
    assert!(seen.starts_with("exit: 0\n"), "{seen}");
    let wanted = "# mine\nwifi: {home: \"a: b\"}\ngreenhouse-01.wifi: canary-passphrase\n";
    assert_eq!(read(&project, "secrets.yaml"), wanted);
    assert_eq!(mode(&project, "secrets.yaml"), 0o600);
}

#[test]
fn secrets_that_are_there_are_not_changed() {
    let project = project();
    for (secrets, mode, complaint) in [
        ("greenhouse-01: {wifi: mine}\n", 0o600, "has a `greenhouse-01.wifi` already; give"),
        ("{a: b}\n", 0o600, "lines cannot be added at its end"),
        ("a: b\n", 0o644, "can be read by others: its mode is 0644; run `chmod 600"),
        ("a: [b]\n", 0o600, "is not a map of names to texts (line 1)"),
    ] {
        project.write("secrets.yaml", secrets);
        project.mode("secrets.yaml", mode);
        let seen = init(&project, &format!("{SMALLEST} {WITH_SECRET}"));
        assert!(seen.starts_with("exit: 1\nerror: ") && seen.contains(complaint), "{seen}");
        assert_eq!(read(&project, "secrets.yaml"), secrets);
        assert_eq!(made(&project), ["secrets.yaml"]);
    }
}

#[test]
fn a_full_disk_leaves_neither_of_the_two() {
    let project = project();
    fs::create_dir(project.path("out")).unwrap();
    // room for one of the two
    let script =
        "mount -t tmpfs -o size=4k tmpfs out; \"$@\" || status=$?; ls -A out; exit $status";
    let flags = format!("{SMALLEST} {WITH_SECRET}");
    let flags: Vec<&str> = flags.split_whitespace().collect();
    let arguments = [&["init", "out/greenhouse-01.yaml"], &flags[..]].concat();
    let seen = project.seen(&mut project.command_in_namespace(script, &arguments));
    assert_snapshot!(seen, @r"
    exit: 3
    error: writing out/secrets.yaml: No space left on device (os error 28)
    ");
}

#[test]
fn a_folder_that_is_read_only() {
    let project = project();
    fs::create_dir(project.path("out")).unwrap();
    let script = "mount -t tmpfs -o ro tmpfs out; exec \"$@\"";
    let flags: Vec<&str> = SMALLEST.split_whitespace().collect();
    let arguments = [&["init", "out/greenhouse-01.yaml"], &flags[..]].concat();
    assert_snapshot!(project.seen(&mut project.command_in_namespace(script, &arguments)), @r"
    exit: 1
    error: writing the profile out/greenhouse-01.yaml: read-only filesystem or storage medium
    ");
}

#[test]
fn answers_on_a_terminal_make_a_profile_and_no_secret_is_shown() {
    let project = project();
    let mut terminal = project.on_terminal(&["init", "greenhouse-01.yaml"]);
    terminal.answer("Device id, which is its name at the cloud [greenhouse-01]: ", "green house");
    terminal.expect("a device id cannot contain ' '");
    terminal.answer("Device id", "");
    terminal.answer("Which Raspberry Pi is it?", "pi-6");
    terminal.expect("`pi-6` is none of them");
    terminal.answer("number [4]", "pi-3");
    terminal.answer("1  debian-trixie-arm64", "");
    terminal.answer("Does it join a WiFi network? [Y/n]", "y");
    terminal.answer("The country it is in", "nl");
    terminal.expect("did you mean `NL`?");
    terminal.answer("The country it is in", "NL");
    terminal.answer("The network's name", "It's \"home\": #1");
    terminal.answer("Its passphrase; empty if it is open to everybody (not shown): ", "canary1");
    terminal.expect("a passphrase has 8 to 63 characters, and this one has 7");
    terminal.answer("(not shown): ", "canary-passphrase");
    terminal.answer("The same again (not shown): ", "canary-passphrasf");
    terminal.expect("these are not the same");
    terminal.answer("(not shown): ", "canary-passphrase");
    terminal.answer("The same again (not shown): ", "canary-passphrase");
    terminal.answer("Who can log in?", "key");
    terminal.answer("The user's name [pi]: ", "root");
    terminal.expect("`root` stays locked");
    terminal.answer("The user's name", "");
    terminal.answer("public SSH key", "given/me.pub");
    terminal.answer("Where do readings go?", "mqtt");
    terminal.answer("the broker's name", "mqtts://broker.lan");
    terminal.expect("a host's name has no `://`");
    terminal.answer("the broker's name", "broker.lan");
    terminal.answer("How is the connection secured?", "3");
    terminal.answer("the authority that signed", "ca.pem");
    terminal.answer("the device's certificate [certs/greenhouse-01.pem]: ", "device.key");
    terminal.expect("there is no certificate in it");
    terminal.answer("the device's certificate", "device.pem");
    terminal.answer("the private key of it", "device.key");
    terminal.answer("Does the device log in with a password?", "yes");
    terminal.answer("the user's name at the broker: ", "greenhouse");
    terminal.answer("that user's password (not shown): ", "");
    terminal.expect("an answer is needed");
    terminal.answer("that user's password (not shown): ", "canary-password");
    terminal.answer("What does it read?", "tmp102, 4");
    terminal.expect("next: imgbuild check greenhouse-01.yaml");
    assert_eq!(terminal.wait(), Some(0));
    assert!(terminal.echoes());
    assert!(!terminal.screen().contains("canary"), "{}", terminal.screen());
    assert_snapshot!("init_terminal", read(&project, "greenhouse-01.yaml"));
    assert_snapshot!(read(&project, "secrets.yaml"), @r"
    greenhouse-01.mqtt: canary-password
    greenhouse-01.wifi: canary-passphrase
    ");
    assert_eq!(mode(&project, "secrets.yaml"), 0o600);
    let checked = project.imgbuild(&["check", "greenhouse-01.yaml"]);
    assert_eq!(checked, "exit: 0\ngreenhouse-01.yaml: nothing wrong\n");
}

/// Comes as far as the question for a passphrase.
fn at_the_passphrase(project: &Project) -> crate::support::Terminal {
    let flags = "--model pi-3 --base debian-trixie-arm64 --wifi-ssid Home --wifi-country NL";
    let flags: Vec<&str> = flags.split_whitespace().collect();
    let mut terminal = project.on_terminal(&[&["init"], &flags[..]].concat());
    terminal.answer("Device id", "");
    terminal.expect("(not shown): ");
    assert!(!terminal.echoes());
    terminal
}

#[test]
fn ctrl_c_at_a_passphrase_leaves_nothing_and_a_terminal_that_shows_what_is_typed() {
    let project = project();
    for (keys, status, said) in [
        ("canary\u{3}", 130, "interrupted; nothing was written"),
        ("\u{4}", 2, "the answers ended early; nothing was written"),
    ] {
        let mut terminal = at_the_passphrase(&project);
        terminal.press(keys);
        terminal.expect(said);
        assert_eq!(terminal.wait(), Some(status));
        assert!(terminal.echoes());
        assert!(!terminal.screen().contains("canary"), "{}", terminal.screen());
        assert_eq!(made(&project), Vec::<String>::new());
    }
}

#[test]
fn with_no_input_a_terminal_is_not_asked() {
    let mut terminal = project().on_terminal(&["init", "--no-input"]);
    terminal.expect("error: --model is missing");
    assert_eq!(terminal.wait(), Some(2));
}
