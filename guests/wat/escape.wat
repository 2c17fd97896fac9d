;; Tries to leave the first folder it is given. Outcome: exit code 0 when each
;; path was refused; the number of the first that was opened, otherwise.
(module
  (import "wasi_snapshot_preview1" "path_open"
    (func $path_open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_symlink"
    (func $path_symlink (param i32 i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_unlink_file"
    (func $path_unlink_file (param i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
  (memory (export "memory") 1)
  (data (i32.const 1024) "..")
  (data (i32.const 1040) "../")
  (data (i32.const 1056) "/")
  (data (i32.const 1072) "/etc/passwd")
  (data (i32.const 1088) "./../..")
  (data (i32.const 1104) "../../../../etc/passwd")
  (data (i32.const 1136) "link")
  (data (i32.const 1152) "link/")
  (global $paths (mut i32) (i32.const 0))
  (func $expect_refusal (param $path i32) (param $length i32)
    (global.set $paths (i32.add (global.get $paths) (i32.const 1)))
    (if (i32.eqz
          (call $path_open
            (i32.const 3) (i32.const 1)  ;; lookupflags: symlink_follow
            (local.get $path) (local.get $length)
            (i32.const 0) (i64.const 2) (i64.const 0) (i32.const 0) (i32.const 64)))
      (then (call $proc_exit (global.get $paths)))))
  (func (export "_start")
    (call $expect_refusal (i32.const 1024) (i32.const 2))
    (call $expect_refusal (i32.const 1040) (i32.const 3))
    (call $expect_refusal (i32.const 1056) (i32.const 1))
    (call $expect_refusal (i32.const 1072) (i32.const 11))
    (call $expect_refusal (i32.const 1088) (i32.const 7))
    (call $expect_refusal (i32.const 1104) (i32.const 22))
    ;; By a link that the guest makes itself, if it is allowed to.
    (drop (call $path_symlink
      (i32.const 1024) (i32.const 2) (i32.const 3) (i32.const 1136) (i32.const 4)))
    (call $expect_refusal (i32.const 1136) (i32.const 4))
    (call $expect_refusal (i32.const 1152) (i32.const 5))
    (drop (call $path_unlink_file (i32.const 3) (i32.const 1136) (i32.const 4)))))
