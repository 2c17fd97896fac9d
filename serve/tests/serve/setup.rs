//! What cannot be served is told before anything is.

use crate::guests;
use crate::harness::Plan;
use rwasm_serve::{Folder, Mount, Program, ServeError, Server, Settings};
use rwasm_wasi::Access;

#[test]
fn programs_that_cannot_run_are_refused_at_once() {
    let good = guests::deaf();
    let none = Settings::new("127.0.0.1:0");
    assert!(matches!(Server::bind(none), Err(ServeError::NoMounts)));
    let mut missing = Settings::new("127.0.0.1:0");
    let program = Program::new("/no/such/module.wasm");
    missing.mounts.push(Mount::cgi("/", program));
    assert!(matches!(
        Server::bind(missing),
        Err(ServeError::Read { .. })
    ));
    let library = Plan::new().mount("a", "(module)", |_| ());
    assert!(matches!(library.error(), ServeError::NoStart(_)));
    let unknown = r#"(module (import "env" "f" (func)) (func (export "_start")))"#;
    let unknown = Plan::new().mount("a", unknown, |_| ());
    assert!(matches!(unknown.error(), ServeError::Load { .. }));
    let invalid = Plan::new().mount("a", "(module (func (i32.add)))", |_| ());
    assert!(matches!(invalid.error(), ServeError::Load { .. }));
    let large = Plan::new().mount("a", &good, |program| program.limits.memory = 1 << 16);
    assert!(matches!(large.error(), ServeError::Load { .. }));
    let folder = Plan::new().mount("a", &good, |program| {
        program.folders.push(Folder {
            host: "/no/such/folder".into(),
            guest: "/".into(),
            access: Access::ReadOnly,
        });
    });
    assert!(matches!(folder.error(), ServeError::Grant { .. }));
    let twice = Plan::new()
        .mount("a", &good, |_| ())
        .mount("a/", &good, |_| ());
    assert!(matches!(twice.error(), ServeError::MountTwice(_)));
    let path = Plan::new().mount("a/../b", &good, |_| ());
    assert!(matches!(path.error(), ServeError::MountPath(_)));
}
