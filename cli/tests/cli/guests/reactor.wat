;; A reactor: `get` gives what `_initialize` has set.
(module
  (global $state (mut i32) (i32.const 0))
  (func (export "_initialize") (global.set $state (i32.add (global.get $state) (i32.const 7))))
  (func (export "get") (result i32) (global.get $state)))
