;; settings: unguarded
;; Without guards every access is checked.
(module
  (memory 1)
  (func $load (param i32) (result i32) (i32.load offset=16 (local.get 0)))
  (func $store (param i32 i64) (i64.store offset=4 (local.get 0) (local.get 1)))
  (func $vector (param i32) (v128.store (local.get 0) (v128.load offset=32 (local.get 0)))))
