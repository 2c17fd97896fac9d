;; What the bench of costs calls: no work, only ways to get to it.
(module
  (import "host" "next" (func $host_next (param i32) (result i32)))
  (memory (export "memory") 2)
  (data (i32.const 1024) "some data, so that instantiation has something to copy")
  (type $step (func (param i32) (result i32)))
  (table funcref (elem $next $other))

  (func $next (param i32) (result i32)
    (i32.add (local.get 0) (i32.const 1)))
  (func $other (param i32) (result i32)
    (i32.add (local.get 0) (i32.const 3)))

  (func (export "add") (param i32 i32) (result i32)
    (i32.add (local.get 0) (local.get 1)))

  ;; n calls each, of the host, of a function, and through the table.
  (func (export "call_host") (param $n i32) (result i32)
    (local $value i32)
    (loop $again
      (local.set $value (call $host_next (local.get $value)))
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $value))
  (func (export "call_wasm") (param $n i32) (result i32)
    (local $value i32)
    (loop $again
      (local.set $value (call $next (local.get $value)))
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $value))
  (func (export "call_indirect") (param $n i32) (result i32)
    (local $value i32)
    (loop $again
      (local.set $value
        (call_indirect (type $step) (local.get $value)
          (i32.and (local.get $n) (i32.const 1))))
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $value))

  ;; Grows the memory page by page, n times, and writes to each new page.
  (func (export "grow") (param $n i32) (result i32)
    (local $page i32)
    (loop $again
      (local.set $page (memory.grow (i32.const 1)))
      (i32.store (i32.shl (local.get $page) (i32.const 16)) (local.get $n))
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $page)))
