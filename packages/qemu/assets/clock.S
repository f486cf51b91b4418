# Clock ROM: how fast does the time-stamp counter of an emulated processor count?
#
# Runs from the reset vector as `-bios`, in real mode. For each byte that arrives at the first serial port (0x3f8) the
# counter is read and written to isa-debugcon (port 0x402), eight bytes, the least significant first. Once also unasked, to
# tell that the guest listens. It waits by hlt for the port's interrupt: a host that is busy wakes a sleeper at once, but
# lets one wait that has used up its time by asking again and again.

        .set    COM1, 0x3f8
        .set    INTERRUPT_ENABLE, 1
        .set    MODEM_CONTROL, 4
        .set    DEBUGCON, 0x402
        .set    PIC, 0x20               # the first 8259A: command, and one above it data
        .set    VECTOR, 0x0c            # where the BIOS has IRQ 4, too

        .macro  to value, port
        movb    $\value, %al
        outb    %al, $\port
        .endm

        .text
        .globl  _start
        .code16
_start:
        cli
        movw    $(CODE + asked - _start), VECTOR * 4
        movw    $0xf000, VECTOR * 4 + 2
        to      0x11, PIC               # ICW1: cascaded, ICW4 follows
        to      0x08, PIC + 1           # ICW2: IRQ 0 is vector 8
        to      0x04, PIC + 1           # ICW3: the second one is at IRQ 2
        to      0x01, PIC + 1           # ICW4: 8086
        to      0xef, PIC + 1           # all but IRQ 4 masked
        movw    $(COM1 + INTERRUPT_ENABLE), %dx
        movb    $1, %al                 # data has come
        outb    %al, %dx
        movw    $(COM1 + MODEM_CONTROL), %dx
        movb    $8, %al                 # OUT2 connects the interrupt
        outb    %al, %dx
        rdtsc
        call    answer
1:      sti
        hlt
        jmp     1b

asked:  rdtsc
        movl    %eax, %ebx
        movl    %edx, %esi
        movw    $COM1, %dx
        inb     %dx, %al
        to      0x20, PIC               # end of interrupt
        movl    %ebx, %eax
        movl    %esi, %edx
        call    answer
        iretw

answer: movl    %edx, %ebx
        movw    $DEBUGCON, %dx
        movw    $4, %cx
2:      outb    %al, %dx
        shrl    $8, %eax
        loop    2b
        movl    %ebx, %eax
        movw    $4, %cx
3:      outb    %al, %dx
        shrl    $8, %eax
        loop    3b
        ret

        .set    CODE, 0xff60            # offset of this code in the ROM
        .org    0x90
        ljmpw   $0xf000, $CODE          # the reset vector, 16 bytes below 4 GiB
        .org    0xa0
