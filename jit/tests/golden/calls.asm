func 0
  pushq %rbp
  movq %rsp, %rbp
  movq (%rdi), %r10
  movq 0x18(%r10), %r10
  addq $0x10, %r10
  cmpq %rsp, %r10
  jnbe #trap=stk_ovf
block0:
  call    User(userextname0)
  jmp     label1
block1:
  jmp     label2
block2:
  jmp     label3
block3:
  movq %rbp, %rsp
  popq %rbp
  retq

func 1
  pushq %rbp
  movq %rsp, %rbp
  movq (%rdi), %r10
  movq 0x18(%r10), %r10
  addq $0x10, %r10
  cmpq %rsp, %r10
  jnbe #trap=stk_ovf
block0:
  movq (%rdi), %r8
  movq %rdi, 0x48(%r8)
  movq 0x50(%rdi), %r9
  movq (%r9), %r10
  movq %r10, 0x50(%r8)
  movq 0x10(%r9), %r10
  movq 8(%r9), %rdi
  call    *%r10
  jmp     label1
block1:
  movq %rbp, %rsp
  popq %rbp
  retq

func 2
  pushq %rbp
  movq %rsp, %rbp
  movq (%rdi), %r10
  movq 0x18(%r10), %r10
  addq $0x10, %r10
  cmpq %rsp, %r10
  jnbe #trap=stk_ovf
block0:
  movl %edx, %eax
  cmpq $0x8, %rax
  jnb #trap=user6
  movq 0x48(%rdi), %rcx
  movq (%rcx), %rcx
  leaq (%rcx, %rax, 8), %rdx
  cmpq $0x8, %rax
  cmovaeq %rcx, %rdx
  movq (%rdx), %rax
  movl 0x18(%rax), %ecx
  movq 0x10(%rdi), %rdx
  movq %rdi, %r8
  cmpl (%rdx), %ecx
  jnz #trap=user8
  movq (%rax), %rcx
  movq 8(%rax), %rdi
  movq (%r8), %rdx
  movq %r8, 0x48(%rdx)
  movq %rcx, 0x50(%rdx)
  movq 0x10(%rax), %rax
  call    *%rax
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
  addq $0x30, %r10
  cmpq %rsp, %r10
  jnbe #trap=stk_ovf
  subq $0x20, %rsp
  movq %rbx, (%rsp)
  movq %r12, 8(%rsp)
  movq %r13, 0x10(%rsp)
block0:
  movq %rsi, %r13
  movl %edx, %eax
  cmpq $0x8, %rax
  jnb #trap=user6
  movq 0x48(%rdi), %rcx
  movq (%rcx), %rcx
  leaq (%rcx, %rax, 8), %rdx
  cmpq $0x8, %rax
  cmovaeq %rcx, %rdx
  movq (%rdx), %r12
  movl 0x18(%r12), %esi
  movq 0x10(%rdi), %rcx
  movq %rdi, %rbx
  movl 4(%rcx), %edx
  cmpl %edx, %esi
  jz      label1; j label2
block1:
  jmp     label3
block3:
  movq (%r12), %rcx
  movq 8(%r12), %rdi
  movq (%rbx), %rdx
  movq %rbx, 0x48(%rdx)
  movq %rcx, 0x50(%rdx)
  movq 0x10(%r12), %rax
  movq %r13, %rsi
  call    *%rax
  jmp     label4
block4:
  movq (%rsp), %rbx
  movq 8(%rsp), %r12
  movq 0x10(%rsp), %r13
  addq $0x20, %rsp
  movq %rbp, %rsp
  popq %rbp
  retq
block2:
  movq %rbx, %rdi
  call    User(userextname0)
  testl %eax, %eax
  jz #trap=user8
  jmp     label3

func 4
  pushq %rbp
  movq %rsp, %rbp
  movq (%rdi), %r10
  movq 0x18(%r10), %r10
  addq $0x10, %r10
  cmpq %rsp, %r10
  jnbe #trap=stk_ovf
block0:
  movq (%rdx), %r8
  movq 8(%rdx), %r9
  movq (%rdi), %r10
  movq %rdi, 0x48(%r10)
  movq %r8, 0x50(%r10)
  movq 0x10(%rdx), %r10
  movq %r9, %rdi
  call    *%r10
  jmp     label1
block1:
  movq %rbp, %rsp
  popq %rbp
  retq

func 5
  pushq %rbp
  movq %rsp, %rbp
  movq (%rdi), %r10
  movq 0x18(%r10), %r10
  addq $0x10, %r10
  cmpq %rsp, %r10
  jnbe #trap=stk_ovf
block0:
  return_call_known User(userextname0) (0) tmp=%r11 %rdi=%rdi %rsi=%rsi

func 6
  pushq %rbp
  movq %rsp, %rbp
  movq (%rdi), %r10
  movq 0x18(%r10), %r10
  addq $0x10, %r10
  cmpq %rsp, %r10
  jnbe #trap=stk_ovf
block0:
  movq (%rdx), %r8
  movq 8(%rdx), %r9
  movq (%rdi), %r10
  movq %rdi, 0x48(%r10)
  movq %r8, 0x50(%r10)
  movq 0x10(%rdx), %r10
  movq %r9, %rdi
  return_call_unknown %r10 (0) tmp=%r11 %rdi=%rdi %rsi=%rsi

func 7
  pushq %rbp
  movq %rsp, %rbp
  movq (%rdi), %r10
  movq 0x18(%r10), %r10
  addq $0x20, %r10
  cmpq %rsp, %r10
  jnbe #trap=stk_ovf
  subq $0x10, %rsp
  movq %r12, (%rsp)
block0:
  movq 0x18(%rdi), %r12
  movq (%r12), %rsi
  testq %rsi, %rsi
  jnz     label1; j label2
block1:
  jmp     label3
block3:
  jmp     label4
block4:
  movq %r12, %rax
  movq (%rsp), %r12
  addq $0x10, %rsp
  movq %rbp, %rsp
  popq %rbp
  retq
block2:
  movl $0x1, %esi
  call    User(userextname0)
  jmp     label3
