func 0
  pushq %rbp
  movq %rsp, %rbp
block0:
  testl $0x3, %esi
  jnz #trap=user3
  movq 8(%rdi), %r8
  movl %esi, %r9d
  movq %rdx, %rax
  lock xaddl %eax, 4(%r8, %r9)
  jmp     label1
block1:
  movq %rbp, %rsp
  popq %rbp
  retq

func 1
  pushq %rbp
  movq %rsp, %rbp
block0:
  movq 8(%rdi), %r8
  movl %esi, %r9d
  movq %rdx, %rax
  lock cmpxchgb %cl, (%r8, %r9) ;; implicit: %al
  jmp     label1
block1:
  movzbq %al, %rax
  movq %rbp, %rsp
  popq %rbp
  retq

func 2
  pushq %rbp
  movq %rsp, %rbp
block0:
  testl $0x3, %esi
  jnz #trap=user3
  movq 8(%rdi), %rdi
  movl %esi, %r8d
  movl %edx, (%rdi, %r8)
  mfence
  jmp     label1
block1:
  movq %rbp, %rsp
  popq %rbp
  retq

func 3
  pushq %rbp
  movq %rsp, %rbp
  movq (%rdi), %r10
  movq 0x18(%r10), %r10
  addq $0x10, %r10
  cmpq %rsp, %r10
  jnbe #trap=stk_ovf
block0:
  movq %rsi, %rax
  movq %rdx, %r8
  movq %rcx, %r9
  uninit  %rsi
  xorl %esi, %esi
  movl %eax, %edx
  uninit  %rcx
  xorq %rcx, %rcx
  call    User(userextname0)
  jmp     label1
block1:
  movq %rbp, %rsp
  popq %rbp
  retq
