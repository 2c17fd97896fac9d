;; Calls name the `try` around them; handlers are labels; both forms of `try`.
(module
  (tag $a (param i32))
  (tag $b (param i64 f64))
  (func $call (param i32))
  (func $nested (param i32) (result i32)
    (block $outer (result i32)
      (block $all (try_table (catch $a $outer) (catch_all $all)
        (call $call (local.get 0))
        (block $inner (result i64 f64 exnref)
          (try_table (catch_ref $b $inner)
            (call $call (i32.const 1)))
          (return (i32.const 2)))
        (drop) (drop) (drop)))
      (i32.const 3)))
  (func $own_label (param i32) (result i32)
    (try_table (catch $a 0) (call $call (local.get 0)))
    (i32.const 4))
  (func $throw (param i32 i64 f64 exnref)
    (if (local.get 0)
      (then (throw $b (i64.add (local.get 1) (i64.const 1)) (local.get 2))))
    (throw_ref (local.get 3)))
  (func $loop (param i32)
    (loop $again
      (block $h
        (try_table (catch_all $h) (call $call (local.get 0))))
      (local.set 0 (i32.sub (local.get 0) (i32.const 1)))
      (br_if $again (local.get 0))))
  (func $legacy (param i32) (result i32)
    try (result i32)
      try
        local.get 0
        call $call
      delegate 0
      i32.const 5
    catch $a
      i32.const 6
      i32.add
    catch_all
      rethrow 0
    end))
