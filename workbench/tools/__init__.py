"""

Files:
    arguments.py   checks of arguments, and the loop every tool shares
    detector.py    finding things with the embedded closed-set detector: find and exists
    hub_detect.py  detectors of the hub
    hub_images.py  depth and image-text similarity, models of the hub
    knowledge.py   general knowledge asked of a language model: llm_query
    names.py       from a program's words to COCO's classes
    ocr.py         text in a patch (RapidOCR)
    oracle.py      exact answers from a scene's record
    questions.py   visual questions, properties, text match, captions
    regions.py     finding things by every name the bundled student was taught
    yesno.py       taking yes/no questions of general knowledge apart
"""
