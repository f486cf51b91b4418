# Clock ROM: how fast does the time-stamp counter of an emulated processor count?
#
# Runs from the reset vector as `-bios`, in real mode. For each byte that arrives at the first serial port (0x3f8) the
# counter is read and written to isa-debugcon (port 0x402), eight bytes, the least significant first. Once also unasked, to tell that
# the guest listens.

        .set    COM1, 0x3f8
        .set    LINE_STATUS, 5
        .set    DEBUGCON, 0x402

        .text
        .globl  _start
        .code16
_start:
        cli
        jmp     read
wait:   movw    $(COM1 + LINE_STATUS), %dx
        inb     %dx, %al
        testb   $1, %al                 # data ready
        jz      wait
        movw    $COM1, %dx
        inb     %dx, %al
read:   rdtsc
        movl    %edx, %ebx
        movw    $DEBUGCON, %dx
        movw    $4, %cx
1:      outb    %al, %dx
        shrl    $8, %eax
        loop    1b
        movl    %ebx, %eax
        movw    $4, %cx
2:      outb    %al, %dx
        shrl    $8, %eax
        loop    2b
        jmp     wait

        .set    CODE, 0xffb0            # offset of this code in the ROM
        .org    0x40
        ljmpw   $0xf000, $CODE          # the reset vector, 16 bytes below 4 GiB
        .org    0x50
