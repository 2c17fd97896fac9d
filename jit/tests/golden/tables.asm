func 0
  pushq %rbp
  movq %rsp, %rbp
block0:
  movl %esi, %r8d
  cmpq $0x8, %r8
  jnb #trap=user5
  movq 0x40(%rdi), %r10
  movq (%r10), %r10
  leaq (%r10, %r8, 8), %r9
  cmpq $0x8, %r8
  cmovaeq %r10, %r9
  movq (%r9), %rax
  jmp     label1
block1:
  movq %rbp, %rsp
  popq %rbp
  retq

func 1
  pushq %rbp
  movq %rsp, %rbp
block0:
  movq 0x48(%rdi), %rax
  movq 8(%rax), %r10
  movl %esi, %r11d
  cmpq %r10, %r11
  jnb #trap=user5
  movq (%rax), %rax
  movl %edx, %ecx
  leaq (%rax, %r11, 8), %rdx
  cmpq %r10, %r11
  cmovaeq %rax, %rdx
  movq %rcx, (%rdx)
  jmp     label1
block1:
  movq %rbp, %rsp
  popq %rbp
  retq

func 2
  pushq %rbp
  movq %rsp, %rbp
block0:
  movq 0x48(%rdi), %rsi
  movq 8(%rsi), %rax
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
  movq %rsi, %r10
  movl $0x1, %esi
  movl %edx, %edx
  movl %r10d, %ecx
  call    User(userextname0)
  jmp     label1
block1:
  movq %rbp, %rsp
  popq %rbp
  retq
