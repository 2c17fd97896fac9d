func 0
  pushq %rbp
  movq %rsp, %rbp
  movq (%rdi), %r10
  movq 0x18(%r10), %r10
  addq $0x10, %r10
  cmpq %rsp, %r10
  jnbe #trap=stk_ovf
block0:
  movq %rsi, %r8
  movq 0x40(%rdi), %rax
  movq 8(%rax), %rsi
  movl %edx, %edx
  movl %ecx, %eax
  movq %rcx, %r9
  movq %rax, %rcx
  leaq (%rdx, %rcx), %rax
  cmpq %rsi, %rax
  jnbe #trap=heap_oob
  movq %r8, %rax
  movl %eax, %eax
  leaq (%rax, %rcx), %r8
  cmpq %rsi, %r8
  jnbe #trap=heap_oob
  cmpq $0x20, %rcx
  jnbe    label12; j label1
block1:
  cmpq $0x10, %rcx
  jnb     label11; j label2
block2:
  cmpq $0x8, %rcx
  jnb     label10; j label3
block3:
  cmpq $0x4, %rcx
  jnb     label9; j label4
block4:
  cmpq $0x2, %rcx
  jnb     label8; j label5
block5:
  movq %r9, %rcx
  testl %ecx, %ecx
  jnz     label7; j label6
block6:
  jmp     label13
block7:
  movq 8(%rdi), %rcx
  movzbq (%rcx, %rdx), %rdx
  movb %dl, (%rcx, %rax)
  jmp     label13
block8:
  movq 8(%rdi), %rsi
  leaq (%rsi, %rdx), %rdi
  movzwq (%rsi, %rdx), %rdx
  movzwq -2(%rdi, %rcx), %rdi
  leaq (%rsi, %rax), %r8
  movw %dx, (%rsi, %rax)
  movw %di, -2(%r8, %rcx)
  jmp     label13
block9:
  movq 8(%rdi), %rsi
  leaq (%rsi, %rdx), %rdi
  movl (%rsi, %rdx), %edx
  movl -4(%rdi, %rcx), %edi
  leaq (%rsi, %rax), %r8
  movl %edx, (%rsi, %rax)
  movl %edi, -4(%r8, %rcx)
  jmp     label13
block10:
  movq 8(%rdi), %rsi
  leaq (%rsi, %rdx), %rdi
  movq (%rsi, %rdx), %rdx
  movq -8(%rdi, %rcx), %rdi
  leaq (%rsi, %rax), %r8
  movq %rdx, (%rsi, %rax)
  movq %rdi, -8(%r8, %rcx)
  jmp     label13
block11:
  movq 8(%rdi), %rsi
  leaq (%rsi, %rdx), %rdi
  movdqu (%rsi, %rdx), %xmm1
  movdqu -0x10(%rdi, %rcx), %xmm2
  leaq (%rsi, %rax), %rdx
  movdqu %xmm1, (%rsi, %rax)
  movdqu %xmm2, -0x10(%rdx, %rcx)
  jmp     label13
block13:
  jmp     label14
block14:
  movq %rbp, %rsp
  popq %rbp
  retq
block12:
  movq 8(%rdi), %rsi
  leaq (%rsi, %rax), %r8
  leaq (%rsi, %rdx), %rdx
  movq %r8, %rsi
  call    User(userextname0)
  jmp     label13

func 1
  pushq %rbp
  movq %rsp, %rbp
block0:
  movq 8(%rdi), %rdi
  movl %esi, %r8d
  movzbq (%rdi, %r8), %r8
  movzwq (%rdi, %r8), %r8
  movzbq 7(%rdi, %r8), %rax
  jmp     label1
block1:
  movq %rbp, %rsp
  popq %rbp
  retq
