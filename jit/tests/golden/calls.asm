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
  movq 0x18(%rax), %rcx
  movl 0x38(%rdi), %edx
  shlq $0x20, %rdx
  movq 0x10(%rdi), %r8
  movl (%r8), %r8d
  movl %r8d, %r9d
  orq %r9, %rdx
  cmpq %rdx, %rcx
  jz      label1; j label2
block1:
  jmp     label3
block3:
  movq 0x10(%rax), %rax
  call    *%rax
  jmp     label4
block4:
  movq %rbp, %rsp
  popq %rbp
  retq
block2:
  cmpl %r8d, %ecx
  jnz #trap=user8
  movq (%rax), %rdx
  movq 8(%rax), %rcx
  movq (%rdi), %r8
  movq %rdi, 0x48(%r8)
  movq %rdx, 0x50(%r8)
  movq %rcx, %rdi
  jmp     label3

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
  movq %rsi, %r12
  movl %edx, %eax
  cmpq $0x8, %rax
  jnb #trap=user6
  movq 0x48(%rdi), %rcx
  movq (%rcx), %rcx
  leaq (%rcx, %rax, 8), %rdx
  cmpq $0x8, %rax
  cmovaeq %rcx, %rdx
  movq (%rdx), %rbx
  movl 0x18(%rbx), %esi
  movq 0x10(%rdi), %rcx
  movq %rdi, %r13
  movl 4(%rcx), %edx
  cmpl %edx, %esi
  jz      label1; j label2
block1:
  jmp     label3
block3:
  movl 0x1c(%rbx), %ecx
  movq %r13, %rdi
  movl 0x38(%rdi), %eax
  cmpl %eax, %ecx
  jz      label4; j label5
block4:
  jmp     label6
block6:
  movq 0x10(%rbx), %rax
  movq %r12, %rsi
  call    *%rax
  jmp     label7
block7:
  movq (%rsp), %rbx
  movq 8(%rsp), %r12
  movq 0x10(%rsp), %r13
  addq $0x20, %rsp
  movq %rbp, %rsp
  popq %rbp
  retq
block2:
  movq %r13, %rdi
  call    User(userextname0)
  testl %eax, %eax
  jz #trap=user8
  jmp     label3
block5:
  movq (%rbx), %rdx
  movq 8(%rbx), %rcx
  movq (%rdi), %rsi
  movq %rdi, 0x48(%rsi)
  movq %rdx, 0x50(%rsi)
  movq %rcx, %rdi
  jmp     label6

func 4
  pushq %rbp
  movq %rsp, %rbp
  movq (%rdi), %r10
  movq 0x18(%r10), %r10
  addq $0x10, %r10
  cmpq %rsp, %r10
  jnbe #trap=stk_ovf
block0:
  movl 0x1c(%rdx), %r11d
  movl 0x38(%rdi), %eax
  cmpl %eax, %r11d
  jz      label1; j label2
block1:
  jmp     label3
block3:
  movq 0x10(%rdx), %rax
  call    *%rax
  jmp     label4
block4:
  movq %rbp, %rsp
  popq %rbp
  retq
block2:
  movq (%rdx), %rcx
  movq 8(%rdx), %rax
  movq (%rdi), %r8
  movq %rdi, 0x48(%r8)
  movq %rcx, 0x50(%r8)
  movq %rax, %rdi
  jmp     label3

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
  movl 0x1c(%rdx), %r11d
  movl 0x38(%rdi), %eax
  cmpl %eax, %r11d
  jz      label1; j label2
block1:
  jmp     label3
block3:
  movq 0x10(%rdx), %r10
  return_call_unknown %r10 (0) tmp=%r11 %rdi=%rdi %rsi=%rsi
block2:
  movq (%rdx), %rcx
  movq 8(%rdx), %rax
  movq (%rdi), %r8
  movq %rdi, 0x48(%r8)
  movq %rcx, 0x50(%r8)
  movq %rax, %rdi
  jmp     label3

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
