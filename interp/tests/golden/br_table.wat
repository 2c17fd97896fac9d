;; Targets that need more than a jump get it behind the table.
(module
  (func $switch (param i32) (result i32)
    (block $c (block $b (block $a
      (br_table $a $b $c (local.get 0)))
      (return (i32.const 10)))
      (return (i32.const 20)))
    (i32.const 30))
  (func $with_result (param i32) (result i32)
    (block $b (result i32)
      (block $a (result i32)
        (br_table $a $b $a (i32.const 1) (local.get 0)))
      (i32.add (i32.const 1))))
  (func $with_moves (param i32) (result i32)
    (block $b (result i32)
      (i32.const 7)
      (block $a (result i32)
        (br_table $a $b 2 (local.get 0) (local.get 0)))
      (i32.add)))
  (func $loop (param i32)
    (block $out
      (loop $again
        (local.set 0 (i32.shr_u (local.get 0) (i32.const 1)))
        (br_table $out $again $out (local.get 0)))))
  (func $default_alone (param i32) (block (br_table 0 (local.get 0)))))
