;; Virtual calls: objects of eight classes in a ring, each step loads an
;; object's class and calls its method through a table.
(module
  (type $method (func (param i32 i64) (result i64)))
  (memory 1)
  (table funcref
    (elem $add $sub $xor $rotate $multiply $shift $mix $count))

  (func $add (type $method) (i64.add (local.get 1) (i64.load offset=8 (local.get 0))))
  (func $sub (type $method) (i64.sub (local.get 1) (i64.load offset=8 (local.get 0))))
  (func $xor (type $method) (i64.xor (local.get 1) (i64.load offset=8 (local.get 0))))
  (func $rotate (type $method) (i64.rotl (local.get 1) (i64.const 7)))
  (func $multiply (type $method) (i64.mul (local.get 1) (i64.const 0x5851F42D4C957F2D)))
  (func $shift (type $method)
    (i64.xor (local.get 1) (i64.shr_u (local.get 1) (i64.const 13))))
  (func $mix (type $method)
    (i64.add
      (i64.mul (local.get 1) (i64.const 3))
      (i64.extend_i32_u (local.get 0))))
  (func $count (type $method)
    (i64.store offset=8 (local.get 0)
      (i64.add (i64.load offset=8 (local.get 0)) (i64.const 1)))
    (local.get 1))

  (func (export "run") (param $n i32) (result i64)
    (local $object i32) (local $state i64)
    ;; 256 objects of 16 bytes: class, then a value.
    (loop $make
      (i32.store (local.get $object)
        (i32.and
          (i32.shr_u
            (i32.mul (local.get $object) (i32.const 0x2545F491))
            (i32.const 24))
          (i32.const 7)))
      (i64.store offset=8 (local.get $object)
        (i64.extend_i32_u (i32.mul (local.get $object) (i32.const 977))))
      (br_if $make
        (i32.lt_u
          (local.tee $object (i32.add (local.get $object) (i32.const 16)))
          (i32.const 4096))))
    (local.set $state (i64.const 1))
    (loop $steps
      (local.set $object (i32.and (i32.add (local.get $object) (i32.const 16)) (i32.const 4095)))
      (local.set $state
        (call_indirect (type $method)
          (local.get $object) (local.get $state)
          (i32.load (local.get $object))))
      (br_if $steps (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $state)))
